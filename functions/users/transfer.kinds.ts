import type { Types } from 'mongoose'
import type { ErrorCode } from '../../platform/contract/errors.js'
import { long } from '../../platform/database/long.js'
import type { ModelDefinition } from '../../platform/database/model.js'
import type { Filter } from '../../protocol/store.js'
import { Deposit, Withdrawal, type TransferDocument } from './transfer.model.js'
import type { TransferMark } from './user.model.js'

/** What tells deposits and withdrawals apart; everything else about them is the same. */
export interface TransferKind {
  name: 'deposit' | 'withdrawal'
  model: ModelDefinition<TransferDocument>
  sign: 1 | -1
  /** What the user's money must be like. */
  allows(amount: number): Filter
  /** The refusal where it is not. */
  refusal: { code: NonNullable<TransferDocument['reason']>; message: string }
  idReused: ErrorCode
}

export const DEPOSIT: TransferKind = {
  name: 'deposit',
  model: Deposit,
  sign: 1,
  allows: (amount) => ({ netDeposits: { $lte: long(Number.MAX_SAFE_INTEGER - amount) } }),
  refusal: { code: 'balance_limit_exceeded', message: 'What the user has, bookings included, would pass 2^53 - 1.' },
  idReused: 'deposit_id_reused',
}

export const WITHDRAWAL: TransferKind = {
  name: 'withdrawal',
  model: Withdrawal,
  sign: -1,
  allows: (amount) => ({ balance: { $gte: long(amount) } }),
  refusal: { code: 'insufficient_funds', message: 'The balance does not cover the amount.' },
  idReused: 'withdrawal_id_reused',
}

export const TRANSFER_KINDS: readonly TransferKind[] = [DEPOSIT, WITHDRAWAL]

export const transferMark = (kind: TransferKind, id: Types.ObjectId): TransferMark => `${kind.name}:${id.toHexString()}`

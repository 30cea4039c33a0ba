import type { Types } from 'mongoose'
import { field, listOf, maybe, recordOf } from '../../platform/database/fields.js'
import { defineModel } from '../../platform/database/model.js'
import { memoryFields } from '../../protocol/fields.js'
import type { LEDGER_CAUSES } from './contract.js'

export type LedgerCause = (typeof LEDGER_CAUSES)[number]

/** One change of the balance. Written in the same update as the change itself, so neither exists without the other. */
export interface LedgerRecord {
  at: Date
  cause: LedgerCause
  causeId: Types.ObjectId
  /** Minor units; negative: taken. */
  change: number
}

/**
 * How a user's document knows a deposit or a withdrawal. The kind is part of it: clients choose both sorts of ids, and
 * a withdrawal must never be taken for applied because a deposit has its id.
 */
export type TransferMark = `${'deposit' | 'withdrawal'}:${string}`

export interface UserDocument {
  _id: Types.ObjectId
  name: string
  /** The name in lower case: what listUsers searches. */
  nameKey: string
  /** Lower case, unique. */
  email: string
  role: 'user' | 'admin'
  passwordHash?: string
  /** Tokens and sessions carry it; raised with each new password and signOutEverywhere, so that older ones have ended. */
  tokenVersion: number
  /** When role or tokenVersion changed last, or a session was ended, by the database's clock: by it gateway workers hear of that. */
  accessChangedAt?: Date
  /** 64-bit integer, minor units; the validator keeps it at 0 or above. */
  balance: number
  /**
   * Deposits less withdrawals. Bounds every balance that the user can ever get back to: a refund, which nobody may refuse,
   * then cannot pass 2^53 - 1 either.
   */
  netDeposits: number

  /** The protocol's three places (protocol.md): each booking ever applied here is in one of them, or forgotten. */
  bookings: Types.ObjectId[]
  pendingBookings: Types.ObjectId[]
  tombstones: Types.ObjectId[]
  /** The same three for payments, made or received. Missing until the first one. */
  payments?: Types.ObjectId[]
  pendingPayments?: Types.ObjectId[]
  paymentTombstones?: Types.ObjectId[]
  /** Bookings and payments created before this are refused as void: their markers may be gone. */
  forgottenBefore: Date

  /** Deposits and withdrawals whose effect is in the balance, and those that never may have one. */
  transfers: TransferMark[]
  voidedTransfers: TransferMark[]

  /** The newest entries of the ledger, oldest first; tidyUsers moves older ones to the collection `ledger`. */
  recentLedger: LedgerRecord[]
  /** What was moved there: how many entries, and the balance after the last of them. */
  archivedLedger: { count: number; balance: number }

  version: number
  /** Set when the caller chose id and input, so that the same request again is known. */
  request: { by: string; hash: string }
  createdAt: Date
  updatedAt: Date
}

/** The protocol's places, of bookings and of payments: what whoever judges by them reads. */
export const PLACE_FIELDS = {
  bookings: 1,
  pendingBookings: 1,
  tombstones: 1,
  payments: 1,
  pendingPayments: 1,
  paymentTombstones: 1,
} as const

export const User = defineModel<UserDocument>('users', 'users', {
  name: field.text,
  nameKey: field.text,
  email: field.text,
  role: field.text,
  passwordHash: maybe(field.text),
  tokenVersion: field.count,
  accessChangedAt: maybe(field.date),
  balance: field.money,
  netDeposits: field.money,
  bookings: listOf(field.id),
  ...memoryFields,
  payments: maybe(listOf(field.id)),
  pendingPayments: maybe(listOf(field.id)),
  paymentTombstones: maybe(listOf(field.id)),
  transfers: listOf(field.text),
  voidedTransfers: listOf(field.text),
  recentLedger: listOf<LedgerRecord>(field.any),
  archivedLedger: recordOf<UserDocument['archivedLedger']>({ count: field.count, balance: field.money }),
  version: field.count,
  request: field.request,
  createdAt: field.date,
  updatedAt: field.date,
})

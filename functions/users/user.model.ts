import { Schema, type Types } from 'mongoose'
import { defineModel } from '../../platform/database/model.js'
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
  /** Tokens carry it; raised with each new password, so that older tokens stop working. */
  tokenVersion: number
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
  /** The same three for payments, made or received. A user from before payments has none of them. */
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

const ids = { type: [Schema.Types.ObjectId], default: [] }
const marks = { type: [String], default: [] }

const schema = new Schema<UserDocument>(
  {
    name: { type: String, required: true },
    nameKey: { type: String, required: true },
    email: { type: String, required: true },
    role: { type: String, required: true },
    passwordHash: String,
    tokenVersion: { type: Number, default: 0 },
    balance: { type: Schema.Types.BigInt, default: 0n },
    netDeposits: { type: Schema.Types.BigInt, default: 0n },
    bookings: ids,
    pendingBookings: ids,
    tombstones: ids,
    payments: ids,
    pendingPayments: ids,
    paymentTombstones: ids,
    forgottenBefore: { type: Date, default: () => new Date(0) },
    transfers: marks,
    voidedTransfers: marks,
    recentLedger: { type: [Schema.Types.Mixed], default: [] },
    archivedLedger: {
      count: { type: Number, default: 0 },
      balance: { type: Schema.Types.BigInt, default: 0n },
    },
    version: { type: Number, default: 0 },
    request: { by: String, hash: String },
    createdAt: { type: Date, required: true },
    updatedAt: { type: Date, required: true },
  } as never,
  { versionKey: false, minimize: false },
)

/** The protocol's places, of bookings and of payments: what whoever judges by them reads. */
export const PLACE_FIELDS = {
  bookings: 1,
  pendingBookings: 1,
  tombstones: 1,
  payments: 1,
  pendingPayments: 1,
  paymentTombstones: 1,
} as const

export const User = defineModel<UserDocument>('users', 'users', schema)

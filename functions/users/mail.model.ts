import type { Types } from 'mongoose'
import { field, maybe } from '../../platform/database/fields.js'
import { defineModel } from '../../platform/database/model.js'

export type MailKind = 'reset_password' | 'confirm_email'

/** The latest mail of a kind that was asked for to an address, whether there is such an account or not. */
export interface MailDocument {
  /** `<kind>:<what stands for the address>` */
  _id: string
  kind: MailKind
  /** Of the request: the same again is no other. */
  mailId: Types.ObjectId
  /** Until it is sent. */
  to?: string
  /** Of confirm_email: whose address it is to be. */
  userId?: Types.ObjectId
  state: 'PENDING' | 'SENT'
  /** How many were asked for, each soon after the one before. */
  inARow: number
  /** Before it no other is taken. */
  nextAt: Date
  failures: number
  /** It waits for an admin, or for the next request. */
  parked: boolean
  createdAt: Date
  lastModified: Date
  /** Once sent: when MongoDB may drop it. */
  expiresAt?: Date
}

export const MailRequest = defineModel<MailDocument>('users', 'mails', {
  _id: field.text,
  kind: field.text,
  mailId: field.id,
  to: maybe(field.text),
  userId: maybe(field.id),
  state: field.text,
  inARow: field.count,
  nextAt: field.date,
  failures: field.count,
  parked: field.flag,
  createdAt: field.date,
  lastModified: field.date,
  expiresAt: maybe(field.date),
})

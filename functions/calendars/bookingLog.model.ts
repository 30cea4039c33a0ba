import type { Types } from 'mongoose'
import { createAppendLog, logFields, type AppendLog, type LogEntry } from '../../platform/logs/appendLog.js'
import { long } from '../../platform/database/long.js'
import { field, maybe, recordOf } from '../../platform/database/fields.js'
import { defineModel } from '../../platform/database/model.js'
import type { RequestMark } from '../../platform/runtime/requests.js'
import type { System } from '../../platform/runtime/system.js'
import type { InvitationState } from './invitation.states.js'

export type InvitationEvent =
  | 'invited'
  | 'rescheduled'
  | 'withdrawn'
  | 'rejected'
  | 'confirmation_started'
  | 'confirmation_refused'
  | 'confirmed'
  | 'move_proposed'
  | 'move_declined'
  | 'moved'
  | 'cancellation_started'
  | 'cancellation_refused'
  | 'cancelled'

/** Who does something to an invitation. */
export type Party = 'buyer' | 'seller' | 'admin'

/** An invitation as an entry leaves it. */
export interface Invitation {
  buyerId: Types.ObjectId
  sellerId: Types.ObjectId
  from: Date
  to: Date
  note: string
  /** Minor units, 64-bit integer. */
  price?: number
  state: InvitationState
  /** Why it was rejected or cancelled, or its last confirmation or cancellation refused. */
  reason?: string
  /** Set by confirming: the request's id, and the payment's where there is a price. */
  confirmationId?: Types.ObjectId
  paymentId?: Types.ObjectId
  /** Of a confirmed one: the period that one side proposes, until the other answers. */
  proposal?: { by: Exclude<Party, 'admin'>; from: Date; to: Date }
  /** Set by cancelling: who does it, and where there is a price, the payment that gives it back; a new one each attempt. */
  cancelledBy?: Party
  refundId?: Types.ObjectId
}

/** Stream: the invitation's id. Partition: the seller's. */
export interface BookingLogEntry extends LogEntry {
  kind: InvitationEvent
  invitation: Invitation
  /** Of a rescheduled or moved one: the period before. */
  previous?: { from: Date; to: Date }
  /** Of what a client may send twice. */
  request?: RequestMark
}

export const BookingLog = defineModel<BookingLogEntry>('calendars', 'bookingLog', {
  ...logFields,
  invitation: recordOf<Invitation>({
    buyerId: field.id,
    sellerId: field.id,
    from: field.date,
    to: field.date,
    note: field.text,
    price: maybe(field.money),
    state: field.text,
    reason: maybe(field.text),
    confirmationId: maybe(field.id),
    paymentId: maybe(field.id),
    proposal: maybe(
      recordOf<NonNullable<Invitation['proposal']>>({ by: field.text, from: field.date, to: field.date }),
    ),
    cancelledBy: maybe(field.text),
    refundId: maybe(field.id),
  }),
  previous: maybe(recordOf<{ from: Date; to: Date }>({ from: field.date, to: field.date })),
  request: maybe(field.request),
})

export const bookingLog = (system: System): AppendLog<BookingLogEntry> =>
  createAppendLog(system, BookingLog, ({ invitation: { price, ...invitation }, ...entry }) => ({
    ...entry,
    invitation: { ...invitation, ...(price !== undefined && { price: long(price) }) },
  }))

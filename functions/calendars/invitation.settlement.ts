import mongoose from 'mongoose'
import { Refusal, type ErrorCode } from '../../platform/contract/errors.js'
import type { Context } from '../../platform/runtime/function.js'
import { failpoint } from '../../platform/lib/failpoints.js'
import { payments } from '../payments/contract.js'
import { bookingLog, type BookingLogEntry, type Invitation } from './bookingLog.model.js'
import { freeing, settled, type HeadChange } from './calendarHead.changes.js'
import { appendAfter, pause, type InvitationChange } from './invitation.changes.js'

/**
 * A confirmation with a price is decided by the payment to the seller, its cancellation by a payment the other way,
 * which the seller's balance may refuse. Each payment's id stands in the log before anybody pays, and the next entry
 * of the stream is what the payment led to:
 *
 * | crash after                   | what is there          | whoever drives it next                                     |
 * | ----------------------------- | ---------------------- | ---------------------------------------------------------- |
 * | the entry that starts it      | no payment             | pays                                                       |
 * | the payment, under way        | a payment              | pays again: the same id is the same payment, driven on     |
 * | the payment, final            | a final payment        | pays again, which answers the first outcome, a refusal too |
 * | the entry that ends it        | confirmed, cancelled … | nobody: number n + 1 is taken, so later ones read it       |
 *
 * A new attempt to cancel has a new refundId, and can only start behind the entry that says that the one before was
 * refused for good. So of all refunds of an invitation at most one is ever COMMITTED.
 */
interface Settlement {
  payment(invitation: Invitation): { paymentId: Id | undefined; payerId: Id; payeeId: Id; cause: string }
  paid(invitation: Invitation, invitationId: Id): InvitationChange
  refused(invitation: Invitation, invitationId: Id): InvitationChange
}

type Id = mongoose.Types.ObjectId

const SETTLEMENTS: Partial<Record<BookingLogEntry['kind'], Settlement>> = {
  confirmation_started: {
    payment: ({ paymentId, buyerId, sellerId }) => ({
      paymentId,
      payerId: buyerId,
      payeeId: sellerId,
      cause: 'invitation',
    }),
    paid: (invitation) => ({ kind: 'confirmed', invitation: { ...invitation, state: 'confirmed' }, heads: [] }),
    refused: (invitation, id) => ({
      kind: 'confirmation_refused',
      invitation: { ...invitation, state: 'invited' },
      heads: [freeing(id, invitation)],
    }),
  },
  cancellation_started: {
    payment: ({ refundId, buyerId, sellerId }) => ({
      paymentId: refundId,
      payerId: sellerId,
      payeeId: buyerId,
      cause: 'cancellation',
    }),
    paid: (invitation, id) => ({
      kind: 'cancelled',
      invitation: { ...invitation, state: 'cancelled' },
      heads: [freeing(id, invitation)],
    }),
    refused: ({ cancelledBy: _by, refundId: _id, ...invitation }) => ({
      kind: 'cancellation_refused',
      invitation: { ...invitation, state: 'confirmed' },
      heads: [],
    }),
  },
}

export const isSettling = ({ kind }: Pick<BookingLogEntry, 'kind'>): boolean => SETTLEMENTS[kind] !== undefined

/**
 * Brings a confirmation or cancellation whose payment is under way to its end, and answers the entry that ended it.
 * Anyone may, any number at once, however late: everyone learns the same outcome of the one payment. Throws where that
 * is not known (retryable); recoverInvitations comes again.
 */
export async function settle(ctx: Context, started: BookingLogEntry): Promise<BookingLogEntry> {
  const settlement = SETTLEMENTS[started.kind]
  if (!settlement) throw new Error(`Nothing is to be paid for ${started.kind}`)
  const { stream, invitation } = started
  const invitationId = new mongoose.Types.ObjectId(stream)
  await failpoint('settlement.pay.before')
  const refusal = await pay(ctx, started, settlement)
  await failpoint('settlement.pay.after')
  const change =
    refusal === undefined
      ? settlement.paid(invitation, invitationId)
      : settlement.refused({ ...invitation, reason: refusal }, invitationId)
  const heads: HeadChange[] = [settled(invitationId, invitation), ...change.heads]
  const ended = await appendAfter(ctx, stream, started, { ...change, heads })
  return ended === 'conflict' ? entryAfter(ctx, started) : ended
}

/** What ends a payment for good without money moved. Whatever else is thrown says nothing: it may still be decided. */
const REFUSALS: readonly ErrorCode[] = ['insufficient_funds', 'payment_cancelled']

/** Undefined: the money has moved. Otherwise the code of the refusal, and none ever will. */
async function pay(
  ctx: Context,
  { stream, invitation }: BookingLogEntry,
  settlement: Settlement,
): Promise<ErrorCode | undefined> {
  const { paymentId, payerId, payeeId, cause } = settlement.payment(invitation)
  if (!paymentId) throw new Error(`The invitation ${stream} is ${invitation.state} without a payment`)
  try {
    await ctx.call(payments.pay, {
      paymentId: paymentId.toHexString(),
      payerId: payerId.toHexString(),
      payeeId: payeeId.toHexString(),
      amount: invitation.price ?? 0,
      cause: { type: cause, id: stream },
    })
    return undefined
  } catch (error) {
    if (error instanceof Refusal && REFUSALS.includes(error.code)) return error.code
    throw error
  }
}

async function entryAfter(ctx: Context, { stream, number }: BookingLogEntry): Promise<BookingLogEntry> {
  for (;;) {
    const next = await ctx.use(bookingLog).at(stream, number + 1)
    if (next) return next
    await pause(ctx, 5)
  }
}

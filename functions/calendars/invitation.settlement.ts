import mongoose from 'mongoose'
import { ERRORS, Refusal, type ErrorCode } from '../../platform/contract/errors.js'
import type { Context } from '../../platform/runtime/function.js'
import { failpoint } from '../../platform/lib/failpoints.js'
import { payments } from '../payments/contract.js'
import { bookingLog, type BookingLogEntry } from './bookingLog.model.js'
import { freeing, keeping } from './calendarHead.changes.js'
import { appendAfter, pause } from './invitation.changes.js'

/**
 * Brings a confirmation whose payment is under way to its end, and answers the entry that ended it. Anyone may, any
 * number at once, however late: the payment's id stands in the log, so everyone learns the same outcome of the one
 * payment; and the entry after `confirmation_started` is either what it led to, or not there yet. Throws where the
 * payment's outcome is not known (retryable); recoverInvitations comes again.
 */
export async function settleConfirmation(ctx: Context, started: BookingLogEntry): Promise<BookingLogEntry> {
  const { stream, invitation } = started
  const invitationId = new mongoose.Types.ObjectId(stream)
  await failpoint('confirmation.pay.before')
  const refusal = await pay(ctx, started)
  await failpoint('confirmation.pay.after')
  const ended = await appendAfter(
    ctx,
    stream,
    started,
    refusal === undefined
      ? {
          kind: 'confirmed',
          invitation: { ...invitation, state: 'confirmed' },
          heads: [keeping(invitationId, invitation)],
        }
      : {
          kind: 'confirmation_refused',
          invitation: { ...invitation, state: 'invited', reason: refusal },
          heads: [freeing(invitationId, invitation)],
        },
  )
  return ended === 'conflict' ? entryAfter(ctx, started) : ended
}

/** Undefined: the money has moved. Otherwise the code of the refusal, and none ever will. */
async function pay(ctx: Context, { stream, invitation }: BookingLogEntry): Promise<ErrorCode | undefined> {
  const { paymentId, price = 0, buyerId, sellerId } = invitation
  if (!paymentId) throw new Error(`The invitation ${stream} is confirming without a payment`)
  try {
    await ctx.call(payments.pay, {
      paymentId: paymentId.toHexString(),
      payerId: buyerId.toHexString(),
      payeeId: sellerId.toHexString(),
      amount: price,
      cause: { type: 'invitation', id: stream },
    })
    return undefined
  } catch (error) {
    // A retryable refusal is none: the payment may still be decided either way.
    if (error instanceof Refusal && !ERRORS[error.code].retryable) return error.code
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

import mongoose from 'mongoose'
import { Refusal } from '../../platform/contract/errors.js'
import type { Context } from '../../platform/runtime/function.js'
import { invalidInput } from '../../platform/runtime/invocation.js'
import { isSameRequest, type RequestMark } from '../../platform/runtime/requests.js'
import { newEngineDocument } from '../../protocol/request.js'
import { isOutstanding } from '../../protocol/states.js'
import { readBooking } from './booking.access.js'
import { bookingEngine, outstandingRefusal } from './booking.engine.js'
import { bookableKinds, type BookableKind } from './booking.kinds.js'
import type { BookingDocument } from './booking.model.js'
import { kindAsked } from './kinds.rules.js'
import type { Draft } from './kinds/kind.js'
import type { KindContract } from './kinds/kind.rules.js'
import { couldPay, payers } from './payer.access.js'

const { ObjectId } = mongoose.Types

const DAY_MS = 24 * 3_600_000

/** How a booking comes to be registered, whatever is booked. */

/** Whose booking it becomes. */
export function buyerOf(ctx: Context, { userId = ctx.caller?.userId }: { userId?: string | undefined }): string {
  if (!userId || (ctx.caller?.role === 'user' && userId !== ctx.caller.userId)) {
    throw new Refusal('forbidden', 'Only admins book for others, naming the userId.')
  }
  return userId
}

/** What to book; null where it can't be had, but the same request came before: what no longer holds may have held then. */
export async function unlessKnown<D>(ctx: Context, bookingId: string, draft: Promise<D>): Promise<D | null> {
  try {
    return await draft
  } catch (refusal) {
    if (await readBooking(ctx, bookingId)) return null
    throw refusal
  }
}

/** What to book and what it costs; with a reason it comes to nothing at once. */
type Asked = Draft & { reason?: string }

/** What to book and what it costs, as its kind says; refusals from here store nothing. */
export async function draftOf(
  ctx: Context,
  operation: KindContract['bookedBy'],
  input: { maxCost?: number | undefined },
  userId: string,
): Promise<Asked> {
  const kind = bookableKinds().get(kindAsked(operation, input)) as BookableKind
  const [draft, payer] = await Promise.all([kind.draft(ctx, input), ctx.use(payers).look(userId)])
  if (payer === null) throw new Refusal('user_not_found', `There is no user ${userId}.`)
  if (!Number.isSafeInteger(draft.cost)) {
    throw invalidInput({ issues: [{ path: [kind.costsBy], message: 'the cost of so much would pass 2^53 - 1' }] })
  }
  const { maxBookingDays } = ctx.config
  if (operation === 'createBooking' && Number(draft.to) - Number(draft.from) > maxBookingDays * DAY_MS) {
    throw invalidInput({ issues: [{ path: ['to'], message: `at most ${maxBookingDays} days` }] })
  }
  // The past is recorded by those who may know of it.
  if (ctx.caller?.role === 'user' && draft.from < ctx.now()) {
    throw new Refusal('booking_started', 'It has begun already.')
  }
  if (input.maxCost !== undefined && draft.cost > input.maxCost) {
    throw new Refusal('price_changed', 'It costs more than maxCost.', { cost: draft.cost })
  }
  return payer && !couldPay(ctx, userId, payer, draft.cost) ? { ...draft, reason: 'insufficient_funds' } : draft
}

export const newBooking = (
  ctx: Context,
  bookingId: string,
  userId: string,
  draft: Asked,
  request: RequestMark,
): BookingDocument => ({
  ...newEngineDocument({ _id: new ObjectId(bookingId), userId: new ObjectId(userId), ...draft }, ctx.now()),
  // Kept, so that the same request again has this outcome: an earlier attempt of it that lands late finds its id taken.
  ...(draft.reason !== undefined && { state: 'CANCELLED' as const }),
  request,
  requestId: ctx.requestId,
})

/**
 * Inserts a booking, or answers what the same request made earlier. Refuses where the id is another request's, or where
 * the user has another outstanding booking.
 */
export async function once<R>(
  ctx: Context,
  { bookingId, userId, request }: { bookingId: string; userId: string; request: RequestMark },
  insert: () => Promise<R | 'duplicate'> | 'duplicate',
): Promise<{ fresh: R } | { earlier: BookingDocument }> {
  const engine = ctx.use(bookingEngine)
  for (let waitMs = 5; ; waitMs = Math.min(2 * waitMs, 250)) {
    const inserted = await insert()
    if (inserted !== 'duplicate') return { fresh: inserted }
    const [outstanding] = await engine.find({ userId: new ObjectId(userId), ...isOutstanding }, 1)
    const earlier = outstanding?._id.equals(bookingId) ? outstanding : await engine.read(new ObjectId(bookingId))
    if (earlier) {
      if (isSameRequest(earlier.request, request)) return { earlier }
      throw new Refusal('booking_id_reused', 'This bookingId was sent before with another input or by another caller.')
    }
    if (outstanding) throw outstandingRefusal(outstanding)
    // Nothing is to be seen: what was in the way has just ended, or is not majority yet.
    if (waitMs > ctx.remainingMs()) throw outstandingRefusal()
    await new Promise((resolve) => setTimeout(resolve, waitMs))
  }
}

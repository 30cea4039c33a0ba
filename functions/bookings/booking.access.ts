import mongoose from 'mongoose'
import { Refusal } from '../../platform/contract/errors.js'
import type { Context } from '../../platform/runtime/function.js'
import { isFinal } from '../../protocol/states.js'
import { Unknown } from '../../protocol/store.js'
import { bookingEngine } from './booking.engine.js'
import { Booking, type BookingDocument } from './booking.model.js'

/** The booking, if the caller may see it: others' bookings are not found, so that ids tell nothing. */
export async function visibleBooking(ctx: Context, bookingId: string): Promise<BookingDocument> {
  const booking = await readBooking(ctx, bookingId)
  if (!booking || !isVisible(ctx, booking)) throw new Refusal('booking_not_found', `There is no booking ${bookingId}.`)
  return booking
}

/** A read that gets no answer changes nothing, so it is no unknown outcome: only a database that does not answer. */
export async function readBooking(ctx: Context, bookingId: string): Promise<BookingDocument | null> {
  try {
    return await ctx.use(bookingEngine).read(new mongoose.Types.ObjectId(bookingId))
  } catch (error) {
    if (!(error instanceof Unknown)) throw error
    throw new Refusal('unavailable', 'A database is out of reach.', undefined, { cause: error })
  }
}

/**
 * Bookings that a local read found, as clients may be told of them, by the rule of the engine's read: final ones as they
 * are, all others as the majority has them. Those that it does not have yet are left out.
 */
export async function asTold(ctx: Context, found: BookingDocument[]): Promise<BookingDocument[]> {
  const open = found.flatMap(({ _id, state }) => (isFinal(state) ? [] : [_id]))
  if (open.length === 0) return found
  const known = await ctx
    .model(Booking)
    .find({ _id: { $in: open } })
    .lean()
  const byId = new Map(known.map((booking) => [String(booking._id), booking]))
  return found.flatMap((booking) => {
    const told = isFinal(booking.state) ? booking : byId.get(String(booking._id))
    return told ? [told] : []
  })
}

export const isVisible = ({ caller }: Context, booking: BookingDocument): boolean =>
  caller?.role !== 'user' || booking.userId.equals(caller.userId)

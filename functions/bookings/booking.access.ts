import mongoose from 'mongoose'
import { Refusal } from '../../platform/errors.js'
import type { Context } from '../../platform/function.js'
import { bookingEngine } from './booking.engine.js'
import type { BookingDocument } from './booking.model.js'

/** The booking, if the caller may see it: others' bookings are not found, so that ids tell nothing. */
export async function visibleBooking(ctx: Context, bookingId: string): Promise<BookingDocument> {
  const booking = await ctx.use(bookingEngine).read(new mongoose.Types.ObjectId(bookingId))
  if (!booking || !isVisible(ctx, booking)) throw new Refusal('booking_not_found', `There is no booking ${bookingId}.`)
  return booking
}

export const isVisible = ({ caller }: Context, booking: BookingDocument): boolean =>
  caller?.role !== 'user' || booking.userId.equals(caller.userId)

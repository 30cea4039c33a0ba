import { Refusal } from '../../platform/errors.js'
import { define, type Context } from '../../platform/function.js'
import { OutOfTime } from '../../protocol/engine.js'
import { isFinal, isOutstanding } from '../../protocol/states.js'
import { Unknown, type Filter } from '../../protocol/store.js'
import { visibleBooking } from './booking.access.js'
import { bookingEngine } from './booking.engine.js'
import type { BookingDocument } from './booking.model.js'
import { stuckSince } from './booking.stuck.js'
import { bookings } from './contract.js'

/** A booking that recovery took over so often without bringing it to its end waits for an admin. */
const PARK_AFTER = 15
const AT_ONCE = 64
const PAGE = 500

interface Report {
  examined: number
  reapplied: number
  committed: number
  cancelled: number
  parked: number
}

export default define(bookings.recoverBookings, async (ctx, { dryRun, bookingId }) => {
  const stuck = bookingId === undefined ? await findStuck(ctx) : [await oneStuck(ctx, bookingId)]
  const report: Report = { examined: stuck.length, reapplied: 0, committed: 0, cancelled: 0, parked: 0 }
  if (dryRun) return report

  const named = bookingId !== undefined
  const queue = stuck.values()
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const booking of queue) if (ctx.remainingMs() > 0) await recover(ctx, booking, named, report)
    }),
  )
  return report
})

/** Oldest first; those that do not fit wait for the next run. */
const findStuck = (ctx: Context): Promise<BookingDocument[]> => {
  const since = stuckSince(ctx)
  // createdAt never changes and is never after lastModified: its index narrows, lastModified decides.
  return ctx
    .use(bookingEngine)
    .find({ ...isOutstanding, createdAt: { $lt: since }, lastModified: { $lt: since }, parked: false }, PAGE)
}

async function oneStuck(ctx: Context, bookingId: string): Promise<BookingDocument> {
  const booking = await visibleBooking(ctx, bookingId)
  if (isFinal(booking.state) || !(booking.parked || booking.lastModified < stuckSince(ctx))) {
    throw new Refusal('booking_not_stuck', 'The booking is final, or moved only just now.')
  }
  return booking
}

async function recover(ctx: Context, stuck: BookingDocument, named: boolean, report: Report): Promise<void> {
  const engine = ctx.use(bookingEngine)
  const park = !named && stuck.recoveries >= PARK_AFTER
  // Of several recoveries at once, one finds it as it was read; the others touch nothing.
  const when: Filter = { epoch: stuck.epoch }
  try {
    if (park) {
      await engine.resume(stuck._id, {
        by: 'recovery',
        why: `parked after ${stuck.recoveries} attempts`,
        when,
        set: { parked: true },
        until: stuck.state,
        deadlineAt: ctx.deadlineAt,
      })
      report.parked++
      ctx.log.error(
        { bookingId: stuck._id, state: stuck.state, recoveries: stuck.recoveries },
        'booking parked: an admin must look at it',
      )
      return
    }
    const resumed = await engine.resume(stuck._id, {
      by: named ? 'recoverBookings' : 'recovery',
      why: named ? 'an admin asked for it' : `not moved since ${stuck.lastModified.toISOString()}`,
      when,
      set: named ? { parked: false, recoveries: 0 } : {},
      deadlineAt: ctx.deadlineAt - Math.max(0, ctx.remainingMs() - ctx.config.deadlinesMs.money),
    })
    if (!resumed) return
    if (resumed.found.state === 'INITIAL' || resumed.found.state === 'PENDING') report.reapplied++
    if (resumed.booking.state === 'COMMITTED') report.committed++
    if (resumed.booking.state === 'CANCELLED') report.cancelled++
    ctx.log.info({ bookingId: stuck._id, from: stuck.state, to: resumed.booking.state }, 'booking recovered')
  } catch (error) {
    // Whatever it was, the next run takes it over again, and after the limit parks it: one must not hold up the others.
    const expected = error instanceof Unknown || error instanceof OutOfTime
    ctx.log[expected ? 'warn' : 'error']({ bookingId: stuck._id, err: error }, 'recovery of a booking failed')
  }
}

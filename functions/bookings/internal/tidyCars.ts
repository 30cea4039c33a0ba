import { define, type Context } from '../../../platform/runtime/function.js'
import { isFinal, isOutstanding } from '../../../protocol/states.js'
import { Booking } from '../booking.model.js'
import { Car, type CarDocument } from '../kinds/car/car.model.js'
import { bookings } from '../contract.js'

/** How far behind forgetting stays: no message, and no clock, is late by that much. */
const REMEMBER_MS = 24 * 3_600_000

/**
 * Clears leftover markers, and forgets. A car's memory of a booking fences off its late writes; so what is dropped must
 * be final, and the same update raises the mark that refuses whatever is older (protocol.md, "Forgetting"). A car with
 * a booking that is not final keeps its mark. Periods that have not ended stay: they still hold the car.
 */
export default define(bookings.tidyCars, async (ctx) => {
  const mark = new Date(ctx.now().getTime() - REMEMBER_MS)
  const report = { cleared: 0, forgotten: 0 }
  const cars = ctx
    .model(Car)
    .find(
      {
        $or: [
          { 'pendingBookings.0': { $exists: true } },
          { 'tombstones.0': { $exists: true } },
          { 'bookings.to': { $lt: mark } },
        ],
      },
      { bookings: 1, pendingBookings: 1, tombstones: 1 },
    )
    .sort({ _id: 1 })
    .lean()
    .batchSize(20)
    .cursor()
  for await (const car of cars) {
    if (ctx.remainingMs() === 0) break
    const known = await statesOf(ctx, car)
    report.cleared += await clear(ctx, car, known)
    report.forgotten += await forget(ctx, car, known, mark)
  }
  return report
})

type Known = Map<string, { final: boolean; createdAt: Date }>

async function statesOf(
  ctx: Context,
  car: Pick<CarDocument, 'bookings' | 'pendingBookings' | 'tombstones'>,
): Promise<Known> {
  const ids = [...car.bookings.map(({ _id }) => _id), ...car.pendingBookings, ...car.tombstones]
  const found = await ctx
    .model(Booking)
    .find({ _id: { $in: ids } }, { state: 1, createdAt: 1 })
    .lean()
  return new Map(found.map(({ _id, state, createdAt }) => [String(_id), { final: isFinal(state), createdAt }]))
}

async function clear(ctx: Context, car: Pick<CarDocument, '_id' | 'pendingBookings'>, known: Known): Promise<number> {
  const garbage = car.pendingBookings.filter((id) => known.get(String(id))?.final)
  if (garbage.length > 0)
    await ctx.model(Car).updateOne({ _id: car._id }, { $pull: { pendingBookings: { $in: garbage } } })
  return garbage.length
}

async function forget(
  ctx: Context,
  car: Pick<CarDocument, '_id' | 'bookings' | 'tombstones'>,
  known: Known,
  mark: Date,
): Promise<number> {
  // The state read above is majority, so what is final stays final. A booking of this car that is not final, and older
  // than the mark, may have left no trace here yet: it is looked up by the car.
  const open = await ctx
    .model(Booking)
    .findOne({ carId: car._id, ...isOutstanding, createdAt: { $lt: mark } }, { _id: 1 })
    .lean()
  if (open) return 0
  const old = (id: CarDocument['_id']) => {
    const booking = known.get(String(id))
    return booking !== undefined && booking.final && booking.createdAt < mark
  }
  const ended = car.bookings.filter(({ _id, to }) => to < mark && old(_id)).map(({ _id }) => _id)
  const buried = car.tombstones.filter(old)
  if (ended.length + buried.length === 0) return 0
  await ctx.model(Car).updateOne(
    { _id: car._id },
    {
      $max: { forgottenBefore: mark },
      $pull: { bookings: { _id: { $in: ended } }, tombstones: { $in: buried } },
    },
  )
  return ended.length + buried.length
}

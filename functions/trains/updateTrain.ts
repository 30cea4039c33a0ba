import { Refusal } from '../../platform/contract/errors.js'
import { withEvents, type EventTransaction } from '../../platform/events/events.js'
import { define, type Context } from '../../platform/runtime/function.js'
import { invalidInput } from '../../platform/runtime/invocation.js'
import { versionConflict } from '../../platform/runtime/updateVersion.js'
import { long } from '../../platform/database/long.js'
import { searchKey } from '../../platform/lib/searchKey.js'
import { emits, trains } from './contract.js'
import { trainCache } from './train.access.js'
import { Train, type TrainDocument } from './train.model.js'
import { presentTrain, SHOWN_FIELDS, type ShownFields } from './train.presenter.js'

export default define(trains.updateTrain, async (ctx, { trainId, version, set }) => {
  const found = ctx.model(Train)
  const before = await found.findOne({ _id: trainId, deleted: false }, SHOWN_FIELDS).lean()
  if (!before) throw new Refusal('train_not_found', `There is no train ${trainId}.`)
  if (before.version !== version) throw versionConflict('train', before.version)
  const departureTime = set.departureTime ? new Date(set.departureTime) : before.departureTime
  const arrivalTime = set.arrivalTime ? new Date(set.arrivalTime) : before.arrivalTime
  if (departureTime >= arrivalTime) {
    throw invalidInput({ issues: [{ path: ['set', 'arrivalTime'], message: 'must be after departureTime' }] })
  }
  // Seats and version only change together, so by the guard on the version this is what is added to the number as read.
  const added = (set.availableSeats ?? before.seats) - before.seats

  const guard = {
    ...{ _id: trainId, deleted: false, version, seatsLeft: { $gte: -added } },
    // Of those that are sold by number none may be lost, however few are sold.
    ...(added < 0 && { 'bookings.seats': { $not: { $gt: before.seats + added } } }),
  }
  const change = {
    $set: {
      ...(set.route !== undefined && { route: set.route, routeKey: searchKey(set.route) }),
      ...(set.pricePerSeat !== undefined && { pricePerSeat: long(set.pricePerSeat) }),
      departureTime,
      arrivalTime,
      updatedAt: ctx.now(),
    },
    $inc: { version: 1, seats: added, seatsLeft: added },
  }
  const train = await withEvents(ctx, emits, (tx) => changeAndTell(ctx, tx, { guard, change, before }))
  if (train) {
    await ctx.use(trainCache).drop([trainId])
    return presentTrain(train)
  }
  const current = await found
    .findOne({ _id: trainId, deleted: false }, { version: 1, seats: 1, seatsLeft: 1, bookings: 1 })
    .lean()
  if (!current) throw new Refusal('train_not_found', `There is no train ${trainId}.`)
  if (current.version !== version) throw versionConflict('train', current.version)
  const sold = current.seats - current.seatsLeft
  if (sold > current.seats + added) throw new Refusal('seats_sold', 'More seats than that are sold or held.', { sold })
  const highest = current.bookings.flatMap(({ seats = [] }) => seats).reduce((most, seat) => Math.max(most, seat), 0)
  throw new Refusal('seats_sold', 'A seat with a higher number is sold.', { sold, highest })
})

type Journey = Pick<TrainDocument, 'route' | 'departureTime' | 'arrivalTime'>

/** The change, and where it is another journey by now, the event that its passengers are told by. */
async function changeAndTell(
  ctx: Context,
  tx: EventTransaction<typeof emits>,
  { guard, change, before }: { guard: object; change: object; before: Journey },
): Promise<ShownFields | null> {
  const changed = await ctx
    .model(Train)
    .findOneAndUpdate(guard, change, {
      session: tx.session,
      returnDocument: 'after',
      projection: { ...SHOWN_FIELDS, bookings: 1 },
    })
    .lean()
  if (changed && !isSameJourney(before, changed)) {
    tx.emit({
      type: 'train:updated',
      aggregate: { type: 'train', id: changed._id },
      version: changed.version,
      payload: {
        train: presentTrain(changed),
        previous: {
          route: before.route,
          departureTime: before.departureTime.toISOString(),
          arrivalTime: before.arrivalTime.toISOString(),
        },
        bookingIds: changed.bookings.map(({ _id }) => _id.toHexString()),
      },
    })
  }
  return changed
}

const isSameJourney = (one: Journey, other: Journey): boolean =>
  one.route === other.route && +one.departureTime === +other.departureTime && +one.arrivalTime === +other.arrivalTime

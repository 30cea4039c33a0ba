import { Refusal } from '../../platform/contract/errors.js'
import { define } from '../../platform/runtime/function.js'
import { invalidInput } from '../../platform/runtime/invocation.js'
import { long } from '../../platform/database/long.js'
import { searchKey } from '../../platform/lib/searchKey.js'
import { trains } from './contract.js'
import { trainCache } from './train.access.js'
import { Train } from './train.model.js'
import { presentTrain, SHOWN_FIELDS } from './train.presenter.js'

export default define(trains.updateTrain, async (ctx, { trainId, version, set }) => {
  const found = ctx.model(Train)
  const before = await found.findOne({ _id: trainId, deleted: false }, SHOWN_FIELDS).lean()
  if (!before) throw new Refusal('train_not_found', `There is no train ${trainId}.`)
  if (before.version !== version) throw staleVersion(before.version)
  const departureTime = set.departureTime ? new Date(set.departureTime) : before.departureTime
  const arrivalTime = set.arrivalTime ? new Date(set.arrivalTime) : before.arrivalTime
  if (departureTime >= arrivalTime) {
    throw invalidInput({ issues: [{ path: ['set', 'arrivalTime'], message: 'must be after departureTime' }] })
  }
  // Seats and version only change together, so by the guard on the version this is what is added to the number as read.
  const added = (set.availableSeats ?? before.seats) - before.seats

  const train = await found
    .findOneAndUpdate(
      { _id: trainId, deleted: false, version, seatsLeft: { $gte: -added } },
      {
        $set: {
          ...(set.route !== undefined && { route: set.route, routeKey: searchKey(set.route) }),
          ...(set.pricePerSeat !== undefined && { pricePerSeat: long(set.pricePerSeat) }),
          departureTime,
          arrivalTime,
          updatedAt: ctx.now(),
        },
        $inc: { version: 1, seats: added, seatsLeft: added },
      },
      { returnDocument: 'after', projection: SHOWN_FIELDS },
    )
    .lean()
  if (train) {
    await ctx.use(trainCache).drop([trainId])
    return presentTrain(train)
  }
  const current = await found.findOne({ _id: trainId, deleted: false }, { version: 1, seats: 1, seatsLeft: 1 }).lean()
  if (!current) throw new Refusal('train_not_found', `There is no train ${trainId}.`)
  if (current.version !== version) throw staleVersion(current.version)
  throw new Refusal('seats_sold', 'More seats than that are sold or held.', { sold: current.seats - current.seatsLeft })
})

const staleVersion = (version: number): Refusal =>
  new Refusal('version_conflict', `The train is at version ${version} by now.`, { version })

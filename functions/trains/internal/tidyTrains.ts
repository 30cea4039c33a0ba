import { define } from '../../../platform/runtime/function.js'
import { inParts, tidyAll, type Memory } from '../../../protocol/forgetting.js'
import { BOOKING_PLACES } from '../../../protocol/participant.js'
import { bookings } from '../../bookings/contract.js'
import { trains } from '../contract.js'
import { Train, type TrainDocument } from '../train.model.js'

type Untidy = Pick<TrainDocument, '_id' | 'pendingBookings' | 'tombstones'>

/** Clears leftover markers, and forgets tombstones. The active records stay: there are no more than seats. */
export default define(trains.tidyTrains, async (ctx) => {
  const found = ctx.model(Train)
  const memory: Memory<never> = {
    places: BOOKING_PLACES,
    settled: (ids, before) =>
      inParts(ids, async (bookingIds) => {
        const createdBefore = before && { createdBefore: before.toISOString() }
        return (await ctx.call(bookings.findSettledBookings, { bookingIds, ...createdBefore })).settled
      }),
    isOver: () => false,
  }
  const untidy = found
    .find(
      { $or: [{ 'pendingBookings.0': { $exists: true } }, { 'tombstones.0': { $exists: true } }] },
      { pendingBookings: 1, tombstones: 1 },
    )
    .sort({ _id: 1 })
    .lean()
    .batchSize(20)
    .cursor()
  const forgetful = {
    collection: found.collection,
    memories: [memory],
    async waiting(page: readonly Untidy[], mark: Date) {
      const asked = await Promise.all(
        page.map(async ({ _id }) => {
          const train = { trainId: _id.toHexString(), before: mark.toISOString() }
          return (await ctx.call(bookings.findOutstandingOnTrain, train)).outstanding ? [train.trainId] : []
        }),
      )
      return new Set(asked.flat())
    },
  }
  return tidyAll<Untidy>(ctx, forgetful, untidy)
})

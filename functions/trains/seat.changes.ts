import type { System } from '../../platform/runtime/system.js'
import { failpoint } from '../../platform/lib/failpoints.js'
import { Unknown } from '../../protocol/store.js'
import { Train, type SeatRecord } from './train.model.js'
import type { HeldSeats } from './train.participant.js'

/**
 * Gives a decided booking the numbers of its seats: the lowest that no other active record has. There are enough, since
 * the seats themselves were counted when the booking was applied.
 *
 * One guarded update of the train, so a number is never in two records. It matches only a record without numbers: sent
 * again, or late, it changes nothing, and whoever drives the booking reads what the first one gave. A crash right after it
 * leaves numbers that the next executor reads; a record that is taken back takes its numbers along.
 */
export function seatGiver(system: System): (booking: HeldSeats) => Promise<number[]> {
  const trains = system.model(Train).collection
  const timeoutMs = system.config.deadlinesMs.write

  async function recordOf({ trainId, _id }: HeldSeats): Promise<SeatRecord | undefined> {
    const found = await trains.findOne<{ bookings: SeatRecord[] }>(
      { _id: trainId },
      {
        projection: { bookings: { $elemMatch: { _id } } },
        readConcern: 'majority',
        maxTimeMS: timeoutMs,
      },
    )
    return found?.bookings?.[0]
  }

  return async (booking) => {
    try {
      await failpoint('giveTrain.before')
      await trains.updateOne(
        { _id: booking.trainId, bookings: { $elemMatch: { _id: booking._id, seats: { $exists: false } } } },
        [{ $set: { bookings: withNumbers(booking), updatedAt: system.now() } }],
        { writeConcern: { w: 'majority' }, maxTimeMS: timeoutMs },
      )
      await failpoint('giveTrain.after')
      const seats = (await recordOf(booking))?.seats
      // Without a record somebody else has taken the booking over and back: this executor learns that at its next move.
      if (!seats) throw new Unknown('the train has no record of the booking')
      return seats
    } catch (error) {
      if (error instanceof Unknown) throw error
      throw new Unknown((error as Error).message, { cause: error })
    }
  }
}

/** The records, with numbers in that of the booking. */
function withNumbers({ _id, passengers }: HeldSeats): object {
  const taken = {
    $reduce: {
      input: '$bookings',
      initialValue: [],
      in: { $concatArrays: ['$$value', { $ifNull: ['$$this.seats', []] }] },
    },
  }
  const free = { $setDifference: [{ $range: [1, { $add: ['$seats', 1] }] }, taken] }
  const lowest = { $slice: [{ $sortArray: { input: free, sortBy: 1 } }, passengers] }
  return {
    $map: {
      input: '$bookings',
      in: { $cond: [{ $eq: ['$$this._id', _id] }, { $mergeObjects: ['$$this', { seats: lowest }] }, '$$this'] },
    },
  }
}

import mongoose from 'mongoose'
import type { CallInput, Output } from '../../../../platform/contract/contract.js'
import type { System } from '../../../../platform/runtime/system.js'
import type { Participant, Vote } from '../../../../protocol/participant.js'
import { remoteParticipant, remoteSteps, toWire } from '../../../../protocol/remote.js'
import { Unknown, type Filter } from '../../../../protocol/store.js'
import { trains } from '../../../trains/contract.js'
import type { TrainBooking } from './train.terms.js'

type Step = CallInput<typeof trains.moveSeats>['steps'][number]
type Outcome = Output<typeof trains.moveSeats>['outcomes'][number]

/** Trains as participants, behind calls to `moveSeats`. */
export function remoteTrain(system: System): Participant<TrainBooking> {
  const take = system.use(moveSeats)
  // Of `unknown` the call itself makes an exception.
  return remoteParticipant(async (step, booking) => (await take(step, booking)).vote as Vote)
}

/** Whatever the train holds and has not seen decided: a seat is a seat. */
export async function trainHolders(system: System, { trainId }: TrainBooking): Promise<Filter | null> {
  const origin = { caller: null, requestId: system.newId() }
  const { bookingIds } = await system.call(trains.findPendingOnTrain, { trainId: trainId.toHexString() }, origin)
  return bookingIds.length > 0 ? { _id: { $in: bookingIds.map((each) => new mongoose.Types.ObjectId(each)) } } : null
}

/**
 * After the decision, the train gives the numbers of the seats. The booking takes them along in memory, and its move to
 * COMMITTED saves them; who drives it on after a crash in between is given the same ones.
 */
export function remoteSeatGiver(system: System): Participant<TrainBooking> {
  const take = system.use(moveSeats)
  const never = (): Promise<never> => Promise.reject(new Unknown('numbers of seats are taken back with the seats'))
  return {
    async apply(booking) {
      const { seats } = await take('give', booking)
      if (seats) booking.seats = seats
      return 'ok'
    },
    clear: () => Promise.resolve(),
    undo: never,
    void: never,
    reverse: never,
  }
}

function moveSeats(system: System): (step: Step['step'], booking: TrainBooking) => Promise<Outcome> {
  const send = remoteSteps<Step, Outcome>(system, 'moveSeats', async (steps, origin) => {
    const { outcomes } = await system.call(trains.moveSeats, { steps }, origin)
    return outcomes.map((outcome) => (outcome.vote === 'unknown' ? 'unknown' : outcome))
  })
  return (step, booking) => {
    const { trainId, passengers } = booking
    const held = { ...toWire(booking), trainId: trainId.toHexString(), passengers: passengers.length }
    return send({ step, booking: held })
  }
}

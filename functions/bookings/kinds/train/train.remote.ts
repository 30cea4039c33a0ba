import type { CallInput, Output } from '../../../../platform/contract/contract.js'
import type { System } from '../../../../platform/runtime/system.js'
import type { Participant, Vote } from '../../../../protocol/participant.js'
import { remoteSteps } from '../../../../protocol/remote.js'
import { Unknown } from '../../../../protocol/store.js'
import { trains } from '../../../trains/contract.js'
import type { TrainBooking } from '../../booking.model.js'

type Step = CallInput<typeof trains.moveSeats>['steps'][number]
type Outcome = Output<typeof trains.moveSeats>['outcomes'][number]

/** Trains as participants, behind calls to `moveSeats`. */
export function remoteTrain(system: System): Participant<TrainBooking> {
  const take = system.use(moveSeats)
  const step = (name: Step['step']) => async (booking: TrainBooking) => {
    await take(name, booking)
  }
  return {
    // Of `unknown` the call itself makes an exception.
    apply: async (booking) => (await take('apply', booking)).vote as Vote,
    clear: step('clear'),
    undo: step('undo'),
    void: step('void'),
    reverse: step('reverse'),
  }
}

/**
 * After the decision, the train gives the numbers of the seats. The booking takes them along in memory, and its move to
 * COMMITTED saves them; who drives it on after a crash in between is given the same ones.
 */
export function seatGiver(system: System): Participant<TrainBooking> {
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
  const send = remoteSteps<Step, Outcome>(system, 'moveSeats', async (steps) => {
    const { outcomes } = await system.call(trains.moveSeats, { steps }, { caller: null, requestId: system.newId() })
    return outcomes.map((outcome) => (outcome.vote === 'unknown' ? 'unknown' : outcome))
  })
  return (step, booking) =>
    send({
      step,
      booking: {
        id: booking._id.toHexString(),
        trainId: booking.trainId.toHexString(),
        passengers: booking.passengers.length,
        createdAt: booking.createdAt.toISOString(),
        ...(booking.reverses && { reverses: booking.reverses.toHexString() }),
        ...(booking.originalCreatedAt && { originalCreatedAt: booking.originalCreatedAt.toISOString() }),
      },
    })
}

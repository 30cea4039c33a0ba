import mongoose from 'mongoose'
import { define } from '../../../platform/runtime/function.js'
import { Unknown } from '../../../protocol/store.js'
import { trains } from '../contract.js'
import { seatGiver } from '../seat.giver.js'
import { trainCache } from '../train.cache.js'
import { trainParticipant, type HeldSeats } from '../train.participant.js'

const { ObjectId } = mongoose.Types

export default define(trains.moveSeats, async (ctx, { steps }) => {
  const train = ctx.use(trainParticipant)
  const give = ctx.use(seatGiver)

  /** One step's own outcome: what went wrong with it must not hide what is known of the others. */
  async function run({ step, booking }: (typeof steps)[number]) {
    const held = heldSeats(booking)
    try {
      if (step === 'give') return { vote: 'ok' as const, seats: await give(held) }
      if (step === 'apply') return { vote: await train.apply(held) }
      await train[step](held)
      return { vote: 'ok' as const }
    } catch (error) {
      if (error instanceof Unknown) ctx.log.warn({ step, bookingId: booking.id, why: error.message }, 'outcome unknown')
      else ctx.log.error({ step, bookingId: booking.id, err: error }, 'step failed')
      return { vote: 'unknown' as const }
    }
  }

  const outcomes = await Promise.all(steps.map(run))
  void ctx.use(trainCache).drop([...new Set(steps.map(({ booking }) => booking.trainId))])
  return { outcomes }
})

const heldSeats = (booking: {
  id: string
  trainId: string
  passengers: number
  createdAt: string
  reverses?: string | undefined
  originalCreatedAt?: string | undefined
}): HeldSeats => ({
  _id: new ObjectId(booking.id),
  trainId: new ObjectId(booking.trainId),
  passengers: booking.passengers,
  createdAt: new Date(booking.createdAt),
  ...(booking.reverses && { reverses: new ObjectId(booking.reverses) }),
  ...(booking.originalCreatedAt && { originalCreatedAt: new Date(booking.originalCreatedAt) }),
})

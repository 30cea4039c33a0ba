import mongoose from 'mongoose'
import { define } from '../../../platform/runtime/function.js'
import { answerSteps, fromWire, takeStep } from '../../../protocol/remote.js'
import { trains } from '../contract.js'
import { seatGiver } from '../seat.changes.js'
import { trainCache } from '../train.access.js'
import { trainParticipant } from '../train.participant.js'

export default define(trains.moveSeats, async (ctx, { steps }) => {
  const train = ctx.use(trainParticipant)
  const give = ctx.use(seatGiver)

  const outcomes = await answerSteps(ctx, steps, async ({ step, booking }) => {
    const trainId = new mongoose.Types.ObjectId(booking.trainId)
    const held = { ...fromWire(booking), trainId, passengers: booking.passengers }
    if (step === 'give') return { vote: 'ok' as const, seats: await give(held) }
    return { vote: await takeStep(train, step, held) }
  })
  void ctx.use(trainCache).drop([...new Set(steps.map(({ booking }) => booking.trainId))])
  return { outcomes: outcomes.map((outcome) => (outcome === 'unknown' ? { vote: outcome } : outcome)) }
})

import mongoose from 'mongoose'
import { define } from '../../../platform/runtime/function.js'
import { answerSteps, fromWire, takeStep } from '../../../protocol/remote.js'
import { users } from '../contract.js'
import { ledgerPressure } from '../ledger.engine.js'
import { userParticipants } from '../user.participant.js'

export default define(users.moveFunds, async (ctx, { steps }) => {
  const participants = ctx.use(userParticipants)
  const pressure = ctx.use(ledgerPressure)

  const outcomes = await answerSteps(ctx, steps, async ({ step, side, booking }) => {
    const userId = new mongoose.Types.ObjectId(booking.userId)
    const vote = await takeStep(participants[side], step, { ...fromWire(booking), userId, cost: booking.cost })
    if (vote === 'ok' && step !== 'clear') pressure.added(userId)
    return vote
  })
  return { outcomes }
})

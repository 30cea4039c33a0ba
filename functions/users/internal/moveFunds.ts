import mongoose from 'mongoose'
import { define } from '../../../platform/runtime/function.js'
import type { Vote } from '../../../protocol/participant.js'
import { Unknown } from '../../../protocol/store.js'
import { users } from '../contract.js'
import { ledgerPressure } from '../ledger.pressure.js'
import { userParticipants, type HeldFunds } from '../user.participant.js'

const { ObjectId } = mongoose.Types

export default define(users.moveFunds, async (ctx, { steps }) => {
  const participants = ctx.use(userParticipants)
  const pressure = ctx.use(ledgerPressure)

  /** One step's own outcome: what went wrong with it must not hide what is known of the others. */
  async function run({ step, side, booking }: (typeof steps)[number]): Promise<Vote | 'unknown'> {
    const user = participants[side]
    try {
      const held = heldFunds(booking)
      if (step === 'apply') {
        const vote = await user.apply(held)
        if (vote === 'ok') pressure.added(held.userId)
        return vote
      }
      await user[step](held)
      if (step !== 'clear') pressure.added(held.userId)
      return 'ok'
    } catch (error) {
      if (error instanceof Unknown) ctx.log.warn({ step, bookingId: booking.id, why: error.message }, 'outcome unknown')
      else ctx.log.error({ step, bookingId: booking.id, err: error }, 'step failed')
      return 'unknown'
    }
  }

  return { outcomes: await Promise.all(steps.map(run)) }
})

const heldFunds = (booking: {
  id: string
  userId: string
  cost: number
  createdAt: string
  reverses?: string | undefined
  originalCreatedAt?: string | undefined
}): HeldFunds => ({
  _id: new ObjectId(booking.id),
  userId: new ObjectId(booking.userId),
  cost: booking.cost,
  createdAt: new Date(booking.createdAt),
  ...(booking.reverses && { reverses: new ObjectId(booking.reverses) }),
  ...(booking.originalCreatedAt && { originalCreatedAt: new Date(booking.originalCreatedAt) }),
})

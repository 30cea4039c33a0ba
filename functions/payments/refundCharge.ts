import mongoose from 'mongoose'
import { Refusal } from '../../platform/contract/errors.js'
import { define } from '../../platform/runtime/function.js'
import { moveCharge, presentCharge, visibleCharge } from './charge.changes.js'
import { driveForRequest } from './charge.engine.js'
import { payments } from './contract.js'

export default define(payments.refundCharge, async (ctx, { chargeId }) => {
  // One whose seller is only being credited is settled first: what was not received cannot be taken back.
  let charge = await driveForRequest(ctx, await visibleCharge(ctx, chargeId))
  if (charge.state === 'settled') {
    // An id of its own for each attempt: one that the seller's balance refused can never be made again.
    const set = { reclaimId: new mongoose.Types.ObjectId(ctx.newId()), reason: 'refunded_by_admin' }
    charge = await driveForRequest(ctx, await moveCharge(ctx, charge, { to: 'reclaiming', set }))
    if (charge.state === 'settled') {
      throw new Refusal('insufficient_funds', "The seller's balance does not cover it.", { chargeId })
    }
  }
  if (charge.state !== 'refunded') {
    throw new Refusal('charge_not_refundable', `The charge is ${charge.state}.`, { state: charge.state })
  }
  return presentCharge(charge)
})

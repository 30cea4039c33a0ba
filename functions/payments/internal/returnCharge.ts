import { Refusal } from '../../../platform/contract/errors.js'
import { define } from '../../../platform/runtime/function.js'
import { moveCharge, visibleCharge } from '../charge.changes.js'
import { driveForRequest } from '../charge.engine.js'
import { payments } from '../contract.js'

export default define(payments.returnCharge, async (ctx, { chargeId, reason }) => {
  const found = await visibleCharge(ctx, chargeId)
  const charge = found.state === 'paid' ? await moveCharge(ctx, found, { to: 'refunding', set: { reason } }) : found
  // From here on it goes back by itself, at once or when Stripe, a bank or an admin has done with it.
  const driven = await driveForRequest(ctx, charge)
  if (driven.state !== 'refunded' && driven.state !== 'refunding') {
    throw new Refusal('charge_not_refundable', `The charge is ${driven.state}.`, { state: driven.state })
  }
  return {}
})

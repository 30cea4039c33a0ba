import { define } from '../../../platform/runtime/function.js'
import { driveForRequest } from '../charge.engine.js'
import { Charge } from '../charge.model.js'
import { payments } from '../contract.js'
import { lookAtStripe } from '../refund.remote.js'

/**
 * A webhook is only a nudge: whoever drives the charge asks Stripe how the intent, its refunds and its disputes stand. So it
 * may come twice, before the reply to the request that caused it, or in the wrong order, and nothing in it needs to be
 * believed.
 */
export default define(payments.receiveStripeEvent, async (ctx, { intentId, chargeId, about }) => {
  const charges = ctx.model(Charge)
  const charge =
    (await charges.findOne({ intentId }).lean()) ??
    (chargeId === undefined ? null : await charges.findById(chargeId).lean())
  if (!charge) return { known: false }
  const taken = charge.state === 'pending' ? await driveForRequest(ctx, charge) : charge
  if (about === 'refunds' && taken.state !== 'pending') await driveForRequest(ctx, await lookAtStripe(ctx, taken))
  return { known: true }
})

import mongoose from 'mongoose'
import { applyCopy } from '../../../platform/events/copies.js'
import { define, type Context } from '../../../platform/runtime/function.js'
import { moveCharge, readCharge } from '../charge.changes.js'
import { driveForRequest } from '../charge.engine.js'
import { Charge } from '../charge.model.js'
import { payments } from '../contract.js'
import { copiedFields, whyGivenUp } from '../orderCopy.access.js'
import { OrderCopy } from '../orderCopy.model.js'

const { ObjectId } = mongoose.Types

export default define(payments.followOrder, async (ctx, event) => {
  const { payload, type } = event
  await applyCopy(ctx.model(OrderCopy), event, copiedFields(payload), { creates: type === 'order:created' })
  // Also where the copy had seen it before: it may have been fetched, or what follows cut short. Each is done once.
  if (type === 'order:completed' && payload.chargeId !== undefined) await settle(ctx, payload.chargeId)
  const abandoned = whyGivenUp(payload)
  if (abandoned !== null) await giveUpPending(ctx, payload.id, abandoned)
  return {}
})

/** The charge completed its order: now the seller is credited. */
async function settle(ctx: Context, chargeId: string): Promise<void> {
  const found = await readCharge(ctx, { _id: new ObjectId(chargeId) })
  const charge = found.state === 'paid' ? await moveCharge(ctx, found, { to: 'accepted' }) : found
  if (charge.state === 'accepted') await driveForRequest(ctx, charge)
}

/**
 * Charges of the order by Stripe that the buyer has not confirmed: their intents are cancelled. One that is confirmed
 * meanwhile is paid, and the order decides.
 */
async function giveUpPending(ctx: Context, orderId: string, abandoned: string): Promise<void> {
  const charges = ctx.model(Charge)
  const pending = { orderId: new ObjectId(orderId), state: 'pending', method: 'stripe' } as const
  await charges.updateMany({ ...pending, abandoned: null }, { $set: { abandoned } })
  for (const charge of await charges.find(pending).lean()) await driveForRequest(ctx, charge)
}

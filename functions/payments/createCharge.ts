import mongoose from 'mongoose'
import { DUPLICATE_KEY } from '../../platform/database/bulkErrors.js'
import type { HandlerInput } from '../../platform/contract/contract.js'
import { Refusal, type ErrorCode } from '../../platform/contract/errors.js'
import { define, type Context } from '../../platform/runtime/function.js'
import { failpoint } from '../../platform/lib/failpoints.js'
import { isSameRequest, requestOf, type RequestMark } from '../../platform/runtime/requests.js'
import { readCharge } from './charge.changes.js'
import { driveForRequest } from './charge.engine.js'
import { Charge, type ChargeDocument } from './charge.model.js'
import { presentCharge, viewerOf } from './charge.presenter.js'
import { payments } from './contract.js'
import { visibleOrderCopy } from './orderCopy.access.js'
import type { OrderCopyDocument } from './orderCopy.model.js'
import { requireStripe } from './stripe.remote.js'
import { users } from '../users/contract.js'

const { ObjectId } = mongoose.Types

export default define(payments.createCharge, async (ctx, input) => {
  const request = requestOf(ctx, input)
  const _id = new ObjectId(input.chargeId)
  const earlier = await ctx.model(Charge).findById(_id).lean()
  const charge = earlier ?? (await insert(ctx, await newCharge(ctx, input, request)))
  if (!isSameRequest(charge.request, request)) {
    throw new Refusal('charge_id_reused', 'This chargeId was sent before with another input or by another caller.')
  }

  const driven = charge.state === 'pending' ? await driveForRequest(ctx, charge) : charge
  if (driven.state === 'failed') throw failure(driven)
  // One that waits for its buyer has got a client secret on the way.
  return presentCharge(driven.state === 'pending' ? await readCharge(ctx, driven) : driven, viewerOf(ctx))
})

/** What is to be paid, and by whom; refusals from here store nothing. */
async function newCharge(
  ctx: Context,
  { chargeId, orderId, method, paymentMethodId }: HandlerInput<typeof payments.createCharge>,
  request: RequestMark,
): Promise<ChargeDocument> {
  const order = await visibleOrderCopy(ctx, orderId)
  assertPayable(order, method === 'stripe' && paymentMethodId === undefined)
  if (method === 'stripe') assertPayableByStripe(ctx, order)
  await assertReceivable(ctx, order)
  const at = ctx.now()
  return {
    _id: new ObjectId(chargeId),
    orderId: order._id,
    userId: order.userId,
    sellerId: order.sellerId,
    amount: order.price,
    method,
    state: 'pending',
    paymentId: new ObjectId(ctx.newId()),
    payoutId: new ObjectId(ctx.newId()),
    left: order.price,
    refunds: [],
    ...(paymentMethodId !== undefined && { paymentMethodId }),
    dueAt: new Date(at.getTime() + ctx.config.recovery.stuckAfterMs),
    failures: 0,
    parked: false,
    attention: false,
    unseen: false,
    version: 0,
    revision: 0,
    request,
    createdAt: at,
    lastModified: at,
  }
}

/** By the copy, so as far as is known here: what it does not know yet, the order decides when the money is there. */
function assertPayable({ state, reason }: OrderCopyDocument, isSlow: boolean): void {
  if (state === 'complete') throw new Refusal('order_complete', 'The order is paid.')
  // One that expired may still be paid, if its ticket is free; but nobody waits for a buyer who is still to confirm.
  if (state === 'cancelled' && (isSlow || reason !== 'expired'))
    throw new Refusal('order_cancelled', 'The order was cancelled.')
}

function assertPayableByStripe(ctx: Context, { price, userId, sellerId }: OrderCopyDocument): void {
  requireStripe(ctx)
  if (price === 0) {
    throw new Refusal('invalid_input', 'The input breaks the contract.', {
      issues: [{ path: 'method', message: 'what costs nothing is paid from the balance' }],
    })
  }
  // It would turn a card into a balance, which can be withdrawn.
  if (userId.equals(sellerId)) throw new Refusal('own_ticket', 'Nobody buys their own ticket by card.')
}

/** A look, so that nobody pays for what the seller could not be credited with; what comes in between waits for room. */
async function assertReceivable(ctx: Context, { sellerId, price }: OrderCopyDocument): Promise<void> {
  const { fits } = await ctx.call(users.checkRoom, { userId: sellerId.toHexString(), amount: price })
  if (!fits) throw new Refusal('balance_limit_exceeded', "The seller's balance has no room for the price.")
}

/** Or the charge that the same request inserted just now. */
async function insert(ctx: Context, charge: ChargeDocument): Promise<ChargeDocument> {
  try {
    await failpoint('charge.insert.before')
    await ctx.model(Charge).create(charge)
    await failpoint('charge.insert.after')
    return charge
  } catch (error) {
    if ((error as { code?: unknown }).code !== DUPLICATE_KEY) throw error
    return readCharge(ctx, charge)
  }
}

function failure({ _id, reason = '' }: ChargeDocument): Refusal {
  const { code, message } = FAILURES[reason] ?? { code: 'payment_declined' as const, message: 'The payment failed.' }
  return new Refusal(code, message, { chargeId: _id.toHexString() })
}

/** Why a charge failed, as it is told to clients. */
const FAILURES: Record<string, { code: ErrorCode; message: string }> = {
  insufficient_funds: { code: 'insufficient_funds', message: 'The balance does not cover the price.' },
  order_cancelled: { code: 'order_cancelled', message: 'The order was cancelled before it was paid.' },
  order_expired: { code: 'order_cancelled', message: 'The order expired before it was paid.' },
  amount_not_payable: { code: 'amount_not_payable', message: 'Stripe takes no payments of this amount.' },
  order_complete: { code: 'order_complete', message: 'The order was paid otherwise.' },
}

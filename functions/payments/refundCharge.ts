import mongoose from 'mongoose'
import type { HandlerInput } from '../../platform/contract/contract.js'
import { Refusal, type ErrorCode } from '../../platform/contract/errors.js'
import { DUPLICATE_KEY } from '../../platform/database/bulkErrors.js'
import { define, type Context } from '../../platform/runtime/function.js'
import { isSameRequest, requestOf, type RequestMark } from '../../platform/runtime/requests.js'
import { addRefund, visibleCharge } from './charge.changes.js'
import { driveForRequest } from './charge.engine.js'
import type { ChargeDocument, RefundDocument } from './charge.model.js'
import { presentCharge } from './charge.presenter.js'
import { payments } from './contract.js'
import { isDisputed } from './refund.rules.js'

type Input = HandlerInput<typeof payments.refundCharge>

export default define(payments.refundCharge, async (ctx, input) => {
  const request = requestOf(ctx, input)
  const found = await visibleCharge(ctx, input.chargeId)
  // One whose seller is only being credited is settled first: what was not received cannot be taken back.
  let charge = refundOf(found, input) ? found : await driveForRequest(ctx, found)
  if (!refundOf(charge, input)) {
    if (isDone(charge, input)) return presentCharge(charge, 'admin')
    assertRefundable(charge, input)
    charge = await register(ctx, charge, input, request)
  }
  const refund = refundOf(charge, input)
  if (!refund?.request || !isSameRequest(refund.request, request)) throw refundIdReused()
  const driven = await driveForRequest(ctx, charge)
  assertNotRejected(refundOf(driven, input) ?? refund, charge)
  return presentCharge(driven, 'admin')
})

const refundOf = ({ refunds }: ChargeDocument, { refundId }: Input): RefundDocument | undefined =>
  refunds.find(({ _id }) => _id.toHexString() === refundId)

/** Whoever wants all back that is left, and nothing is. */
const isDone = ({ state }: ChargeDocument, { amount }: Input): boolean => amount === undefined && state === 'refunded'

function assertRefundable(charge: ChargeDocument, { amount }: Input): void {
  const { state, left } = charge
  if (state !== 'settled' && state !== 'refunded') {
    throw new Refusal('charge_not_refundable', `The charge is ${state}.`, { state })
  }
  if (isDisputed(charge)) throw chargeDisputed()
  // What cost nothing is taken back once, whole.
  const isFree =
    charge.amount === 0 && amount === undefined && charge.refunds.every((each) => each.state === 'rejected')
  if ((amount ?? 1) > left && !isFree) {
    throw new Refusal('refund_exceeds_charge', 'Less is left of the charge than that.', { left })
  }
}

/** By the charge as it stands at the write, which may have less left by then. */
async function register(
  ctx: Context,
  charge: ChargeDocument,
  input: Input,
  request: RequestMark,
): Promise<ChargeDocument> {
  try {
    return await addRefund(ctx, charge, (current) => {
      if (refundOf(current, input)) return null
      assertRefundable(current, input)
      return {
        _id: new mongoose.Types.ObjectId(input.refundId),
        amount: input.amount ?? current.left,
        origin: 'admin',
        via: current.method,
        state: 'waiting',
        seller: 'debiting',
        reason: 'refunded_by_admin',
        request,
      }
    })
  } catch (error) {
    // Of another charge.
    if ((error as { code?: unknown }).code === DUPLICATE_KEY) throw refundIdReused()
    throw error
  }
}

/** The outcome of a refund that nobody was given, each time it is asked for. */
function assertNotRejected({ _id, state, reason }: RefundDocument, { left }: ChargeDocument): void {
  if (state !== 'rejected') return
  const refundId = _id.toHexString()
  const { code, message } = REJECTIONS[reason] ?? REJECTED
  throw new Refusal(code, message, { refundId, ...(code === 'refund_exceeds_charge' && { left }) })
}

const REJECTED: { code: ErrorCode; message: string } = {
  code: 'refund_rejected',
  message: 'Stripe refuses the refund; the seller has been given the money again.',
}
const REJECTIONS: Record<string, { code: ErrorCode; message: string }> = {
  insufficient_funds: { code: 'insufficient_funds', message: "The seller's balance does not cover it." },
  refund_exceeds_charge: { code: 'refund_exceeds_charge', message: 'Stripe has given it back already.' },
  charge_disputed: { code: 'charge_disputed', message: "The buyer's bank disputes the charge, and decides." },
}

const chargeDisputed = (): Refusal =>
  new Refusal('charge_disputed', "The buyer's bank disputes the charge, and decides.")

const refundIdReused = (): Refusal =>
  new Refusal('refund_id_reused', 'This refundId was sent before with another input or by another caller.')

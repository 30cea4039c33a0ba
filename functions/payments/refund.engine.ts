import type { Context } from '../../platform/runtime/function.js'
import { refundFailed, sellerOwes } from './charge.news.js'
import { moveRefund } from './charge.changes.js'
import { CHARGE_METHODS, isFinalRefusal } from './charge.kinds.js'
import type { ChargeDocument, RefundDocument } from './charge.model.js'
import { payments } from './contract.js'
import { lookByStripe } from './refund.remote.js'

/**
 * One step of a refund, from whatever state. Answers the charge as it then is; null: there is nothing to do, but for others.
 *
 * Of ours, the seller is debited before the buyer is given anything: what the seller may have spent must not be given away.
 * Only then is Stripe asked; its definite no credits the seller again. Of what Stripe gave back without us, the buyer has the
 * money already, so the debit only decides whether the seller owes it to us.
 *
 * | crash, or a lost reply, after | what is there                    | whoever drives it next                            |
 * | ----------------------------- | -------------------------------- | ------------------------------------------------- |
 * | the refund was registered     | waiting; its amount is taken out | debits the seller                                 |
 * | the seller was debited        | waiting, debiting                | debits again, which answers the same: sending     |
 * | sending was written           | sending                          | asks Stripe, or the balance                       |
 * | Stripe made the refund        | sending; Stripe has it           | finds it there by its name, and makes none        |
 * | Stripe's no came              | sending, debited                 | asks again, which answers the same: rejected      |
 * | rejected was written          | rejected, crediting              | credits the seller                                |
 * | the seller was credited       | rejected, crediting              | credits again, which answers that it was          |
 * | pending was written           | pending                          | looks at Stripe's refund until it has ended       |
 */
export async function stepRefund(
  ctx: Context,
  charge: ChargeDocument,
  refund: RefundDocument,
): Promise<ChargeDocument | null> {
  if (refund.seller === 'debiting') return debitSeller(ctx, charge, refund)
  if (refund.seller === 'crediting') {
    await payOf(ctx, refund, refund.creditId, { payeeId: charge.sellerId.toHexString() })
    return moveRefund(ctx, charge, refund, { seller: 'credited' })
  }
  switch (refund.state) {
    case 'waiting':
      return moveRefund(ctx, charge, refund, { state: 'sending' })
    case 'sending':
      return send(ctx, charge, refund)
    case 'pending':
    case 'disputed':
      return look(ctx, charge, refund)
    case 'refunded':
    case 'failed':
    case 'rejected':
      return null
  }
}

async function debitSeller(
  ctx: Context,
  charge: ChargeDocument,
  refund: RefundDocument,
): Promise<ChargeDocument | null> {
  // The seller has nothing of a charge that its order turned away; of one that is undecided, or only being credited, not yet.
  if (charge.state === 'refunding') return moveRefund(ctx, charge, refund, { seller: 'none' })
  if (charge.state !== 'settled' && charge.state !== 'refunded') return null
  try {
    await payOf(ctx, refund, refund.debitId, { payerId: charge.sellerId.toHexString() })
  } catch (error) {
    if (!isFinalRefusal(error)) throw error
    if (refund.state === 'waiting')
      return moveRefund(ctx, charge, refund, { state: 'rejected', seller: 'none', reason: 'insufficient_funds' })
    return moveRefund(ctx, charge, refund, { seller: 'owes', alert: sellerOwes(charge, refund) })
  }
  return moveRefund(ctx, charge, refund, {
    seller: 'debited',
    ...(refund.state === 'waiting' && { state: 'sending' as const }),
  })
}

async function send(ctx: Context, charge: ChargeDocument, refund: RefundDocument): Promise<ChargeDocument> {
  const sent = await CHARGE_METHODS[refund.via].send(ctx, charge, refund)
  if ('state' in sent) {
    const failed = sent.state === 'failed' && refundFailed(charge, refund, sent.stripeStatus ?? 'failed')
    return moveRefund(ctx, charge, refund, { ...sent, ...(failed && { alert: failed }) })
  }
  // Stripe has given it back, or had to, without us: it is to be seen what.
  const unseen = sent.rejected !== 'refund_rejected'
  const isNew = charge.refunds.filter(({ state, origin }) => state === 'rejected' && origin === 'order').length < LOOKS
  if (refund.seller === 'debited')
    return moveRefund(ctx, charge, refund, { state: 'rejected', seller: 'crediting', reason: sent.rejected, unseen })
  if (unseen && isNew && refund.origin === 'order')
    return moveRefund(ctx, charge, refund, { state: 'rejected', reason: sent.rejected, unseen })
  // Nobody but the buyer is to have it.
  const alert = refundFailed(charge, refund, sent.why)
  return moveRefund(ctx, charge, refund, { state: 'failed', stripeStatus: sent.why, alert })
}

/** What an order turned away is registered anew after each look at what Stripe gave back; after so many, an admin looks. */
const LOOKS = 3

async function look(ctx: Context, charge: ChargeDocument, refund: RefundDocument): Promise<ChargeDocument | null> {
  const { state, stripeStatus } = await lookByStripe(ctx, refund)
  if (state === refund.state && stripeStatus === refund.stripeStatus) return null
  if (state === 'failed') {
    const alert = refundFailed(charge, refund, stripeStatus)
    return moveRefund(ctx, charge, refund, { state, stripeStatus, alert })
  }
  if (state !== 'rejected') return moveRefund(ctx, charge, refund, { state, stripeStatus })
  // Won: what the seller gave is given again, what the seller owes is owed no more.
  const seller = refund.seller === 'debited' ? 'crediting' : refund.seller === 'owes' ? 'none' : refund.seller
  return moveRefund(ctx, charge, refund, { state, seller, stripeStatus, reason: 'dispute_won' })
}

const payOf = (
  ctx: Context,
  { _id, amount }: RefundDocument,
  paymentId: RefundDocument['debitId'],
  who: { payerId: string } | { payeeId: string },
) =>
  ctx.call(payments.pay, {
    paymentId: paymentId.toHexString(),
    ...who,
    amount,
    cause: { type: 'reclaim', id: _id.toHexString() },
  })

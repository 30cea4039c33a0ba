import mongoose from 'mongoose'
import receiveStripeEvent from '../../../functions/payments/internal/receiveStripeEvent.js'
import recoverCharges from '../../../functions/payments/recoverCharges.js'
import refundCharge from '../../../functions/payments/refundCharge.js'
import resolveRefund from '../../../functions/payments/resolveRefund.js'
import { stripeClient } from '../../../functions/payments/stripe.remote.js'
import type { Caller } from '../../../platform/contract/caller.js'
import type { Context } from '../../../platform/runtime/function.js'
import type { Tools } from '../executor.js'
import type { Operation } from '../snapshot.js'
import { callOver } from '../standIns/payments.js'
import { DATABASES, modelOver } from '../standIns/mongoose.js'
import { giveBack, stripeOver } from '../standIns/stripe.js'
import { id, QUIET, START, type Actor, type Theatre } from '../theatre.js'
import { checkAlways, checkEnding, checkSettled, checkWrite, isOutstanding, outcome } from './books.js'

/**
 * Refunds of one charge: the handlers that register, drive, resolve and recover them, over the charge's document; what
 * payments and Stripe promise stands in for these. The code that runs is the product's own.
 */

const { ObjectId } = mongoose.Types

export const IDS = {
  charge: id('c1'),
  order: id('c2'),
  buyer: id('a1'),
  seller: id('a2'),
  admin: id('a3'),
  otherAdmin: id('a4'),
  payment: id('d1'),
  payout: id('d2'),
  stripe: id('f1'),
  refund: id('b1'),
  second: id('b2'),
}
export const INTENT = 'pi_1'
export const PRICE = 1000

/** Whoever looks finds everything due: clocks serve liveness only, so anyone may, at any time. */
const DUE_AT_ONCE: Context['config']['recovery'] = { stuckAfterMs: 0, intervalMs: 0, lockMs: 0 }
const TAKEN_BACK = { paymentId: IDS.payment, payerId: IDS.buyer, amount: PRICE }

/**
 * New ids by the version of the charge that they are taken for, and not by how often somebody lost before: an attempt that
 * loses has left none of them behind.
 */
function withNewIds(tools: Tools, executor: number): Tools {
  let [revision, ids] = [0, 0]
  return {
    ...tools,
    newId: () => `e${executor}${revision.toString(16).padStart(11, '0')}${(++ids).toString(16).padStart(11, '0')}`,
    async ask<R>(operation: Operation) {
      const answer = await tools.ask<R>(operation)
      const [charge] = operation.collection === 'charges' && answer ? ([answer].flat() as unknown[]) : []
      if (charge) [revision, ids] = [(charge as { revision: number }).revision, 0]
      return answer
    },
  }
}

function contextFor(given: Tools, executor: number, caller: Caller | null): Context {
  const tools = withNewIds(given, executor)
  const stripe = stripeOver(tools, new ObjectId(IDS.stripe))
  const context = {
    config: { deadlinesMs: { money: 60_000 }, recovery: DUE_AT_ONCE, development: false },
    now: () => START,
    newId: tools.newId,
    model: () => modelOver(tools, 'charges'),
    use: (make: unknown) => (make === stripeClient ? stripe : DATABASES),
    call: callOver(tools, TAKEN_BACK),
    caller,
    requestId: 'request',
    deadlineAt: Infinity,
    remainingMs: () => 1,
    log: QUIET,
  }
  return context as unknown as Context
}

const adminOf = (userId: string): Caller => ({ userId, role: 'admin' })

interface Asked {
  refundId?: string
  /** All that is left. */
  amount?: number | undefined
  by?: string
}

/** An admin gives so much back. */
export const refund =
  ({ refundId = IDS.refund, amount, by = IDS.admin }: Asked = {}): Actor =>
  (executor) =>
  (tools) =>
    refundCharge.handler(contextFor(tools, executor, adminOf(by)), {
      chargeId: IDS.charge,
      refundId,
      ...(amount !== undefined && { amount }),
    })

/** An admin ends a refund that failed, or that the seller owes. */
export const resolve =
  (how: Parameters<typeof resolveRefund.handler>[1]['how']): Actor =>
  (executor) =>
  (tools) =>
    resolveRefund.handler(contextFor(tools, executor, adminOf(IDS.otherAdmin)), {
      chargeId: IDS.charge,
      refundId: IDS.refund,
      how,
    })

export const recover = (): Actor => (executor) => (tools) =>
  recoverCharges.handler(contextFor(tools, executor, null), {})

/** Somebody gives so much back in Stripe's dashboard. */
export const dashboard =
  (amount: number): Actor =>
  () =>
  (tools) =>
    giveBack(tools, new ObjectId(IDS.stripe), 'dashboard', { amount, metadata: {} })

/** Stripe tells that something is new. */
export const webhook = (): Actor => (executor) => (tools) =>
  receiveStripeEvent.handler(contextFor(tools, executor, null), { intentId: INTENT, about: 'refunds' })

export const REFUNDS: Theatre = {
  // One moment of all of them: what holds between them is checked at each.
  replicaSets: [['charges', 'accounts', 'stripe']],
  newestOf: 'charges',
  // A webhook that was lost comes again.
  recovery: async (tools) => {
    await webhook()(8)(tools)
    await recover()(9)(tools)
  },
  isOutstanding,
  checkAlways,
  checkWrite,
  checkSettled,
  checkEnding,
  outcome,
}

import Stripe from 'stripe'
import { Unknown } from '../../../protocol/store.js'
import type { Document } from '../documents.js'
import type { Tools } from '../executor.js'

/**
 * Stripe, as far as refunds of one intent go: one document, changed by guarded updates. It gives back no more than it has
 * left; a request of a key that it knows is answered as the first one was, a refusal too. A request without an answer
 * is an error of its connection's, and may be done later.
 */

export interface StripeDocument extends Document {
  /** Of what was received, what was not given back. */
  readonly left: number
  readonly refunds: readonly StripeRefund[]
  /** Keys whose requests were refused. */
  readonly refused: readonly string[]
}

export interface StripeRefund {
  id: string
  key: string
  amount: number
  status: 'succeeded' | 'failed'
  metadata: Record<string, string>
}

type StripeId = Document['_id']

export function stripeOver(tools: Tools, id: StripeId): Stripe {
  const books = () =>
    asked(() => tools.ask<StripeDocument>({ kind: 'read', collection: 'stripe', id, durability: LAST }))
  const stripe = {
    refunds: {
      list: () => each(async () => (await books()).refunds),
      retrieve: async (refundId: string) => (await books()).refunds.find((refund) => refund.id === refundId),
      create: ({ amount, metadata }: Wanted, { idempotencyKey }: { idempotencyKey: string }) =>
        asked(() => giveBack(tools, id, idempotencyKey, { amount, metadata })),
    },
    disputes: { list: () => each(() => Promise.resolve([])) },
  }
  return stripe as unknown as Stripe
}

type Wanted = Pick<StripeRefund, 'amount' | 'metadata'>

/** Once a key. */
export async function giveBack(tools: Tools, id: StripeId, key: string, wanted: Wanted): Promise<StripeRefund> {
  const isNew = { 'refunds.key': { $ne: key }, refused: { $ne: key } }
  const refund: StripeRefund = { id: `re_${key}`, key, status: 'succeeded', ...wanted }
  for (;;) {
    const made = await take(
      { ...isNew, left: { $gte: wanted.amount } },
      { $inc: { left: -wanted.amount }, $push: { refunds: refund } },
    )
    if (made) return refund
    const seen =
      (await take({ ...isNew, left: { $lt: wanted.amount } }, { $push: { refused: key } })) ??
      (await tools.ask<StripeDocument>({ kind: 'read', collection: 'stripe', id, durability: LAST }))
    const known = seen.refunds.find((each) => each.key === key)
    if (known) return known
    if (seen.refused.includes(key)) throw tooMuch()
  }

  function take(guard: Record<string, unknown>, change: Record<string, Record<string, unknown>>) {
    return tools.ask<StripeDocument | null>({ kind: 'take', collection: 'stripe', id, guard, change })
  }
}

const LAST = 'linearizable'

const tooMuch = (): Error =>
  new Stripe.errors.StripeInvalidRequestError({
    type: 'invalid_request_error',
    message: 'Refund amount is greater than unrefunded amount on charge',
  })

const each = <T>(list: () => Promise<readonly T[]>): AsyncIterable<T> => ({
  async *[Symbol.asyncIterator]() {
    yield* await list()
  },
})

async function asked<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    if (!(error instanceof Unknown)) throw error
    throw new Stripe.errors.StripeConnectionError({ type: 'api_error', message: 'no answer' })
  }
}

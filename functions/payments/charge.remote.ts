import Stripe from 'stripe'
import { Refusal } from '../../platform/contract/errors.js'
import type { Context } from '../../platform/runtime/function.js'
import { failpoint } from '../../platform/lib/failpoints.js'
import { readCharge } from './charge.changes.js'
import type { Taken } from './charge.kinds.js'
import { Charge, type ChargeDocument } from './charge.model.js'
import { leavesOpen, requireStripe } from './stripe.remote.js'

/**
 * Charges by Stripe. The intent is made first, which takes nothing, and written into the charge before anybody may confirm
 * it. From then on it is the only one that can take the money, and Stripe lets an intent succeed once: so nothing rests
 * on how long Stripe keeps idempotency keys. They spare second intents, and answer a lost reply.
 *
 * | crash, or a lost reply, after | what is there                     | whoever drives the charge next                  |
 * | ----------------------------- | --------------------------------- | ----------------------------------------------- |
 * | the intent was made           | an intent that nobody confirms    | makes it again: the same one, by its key        |
 * | it was written down           | pending, with intentId            | looks at the intent, and confirms it            |
 * | it was confirmed              | pending; Stripe has the money     | looks at the intent: succeeded, so paid         |
 * | it was declined               | pending; the intent says so       | cancels the intent, so that none can follow     |
 * | it was cancelled              | pending; the intent says so       | failed                                          |
 * | the refund was made           | refunding; Stripe has given back  | asks again: Stripe answers that it has          |
 */
export async function takeByStripe(ctx: Context, charge: ChargeDocument): Promise<Taken> {
  return asking(async () => {
    const stripe = requireStripe(ctx)
    const known = await intentOf(ctx, stripe, charge)
    if (known === null) return { failed: charge.abandoned ?? 'payment_declined' }
    return outcomeOf(await moveOn(stripe, charge, known), charge)
  })
}

export async function giveBackByStripe(ctx: Context, charge: ChargeDocument): Promise<void> {
  const { intentId } = charge
  if (intentId === undefined) throw new Error(`The charge ${String(charge._id)} was paid without an intent`)
  await asking(async () => {
    try {
      await requireStripe(ctx).refunds.create(
        { payment_intent: intentId, metadata: { chargeId: charge._id.toHexString() } },
        keyed(charge, 'refund'),
      )
    } catch (error) {
      // In full, and only by us: there is no other way that it can have been refunded.
      if (!hasCode(error, 'charge_already_refunded')) throw error
    }
  })
}

/** The charge's one intent; null where it was given up before it had one. */
async function intentOf(ctx: Context, stripe: Stripe, charge: ChargeDocument): Promise<Stripe.PaymentIntent | null> {
  if (charge.intentId !== undefined) return stripe.paymentIntents.retrieve(charge.intentId)
  if (charge.abandoned !== undefined) return null
  const made = await stripe.paymentIntents.create(
    {
      amount: charge.amount,
      currency: ctx.config.stripe.currency,
      metadata: { chargeId: charge._id.toHexString(), orderId: charge.orderId.toHexString() },
      automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
    },
    keyed(charge, 'create'),
  )
  await failpoint('charge.intent.before')
  const { matchedCount } = await ctx
    .model(Charge)
    .updateOne(
      { _id: charge._id, state: 'pending', intentId: null, abandoned: null },
      { $set: { intentId: made.id, ...(made.client_secret !== null && { clientSecret: made.client_secret }) } },
    )
  await failpoint('charge.intent.after')
  if (matchedCount === 1) return made
  // Somebody else wrote one down, or gave the charge up: this one stays unconfirmed.
  const { intentId } = await readCharge(ctx, charge)
  return intentId === undefined ? null : stripe.paymentIntents.retrieve(intentId)
}

/** Confirms an intent that waits for it, or cancels one that was declined or given up. Answers it as it then is. */
async function moveOn(
  stripe: Stripe,
  charge: ChargeDocument,
  intent: Stripe.PaymentIntent,
): Promise<Stripe.PaymentIntent> {
  if (!CANCELLABLE.includes(intent.status)) return intent
  if (charge.abandoned !== undefined) return cancel(stripe, charge, intent)
  const waitsForUs = charge.paymentMethodId !== undefined && CONFIRMABLE.includes(intent.status)
  if (!waitsForUs) return intent
  if (intent.last_payment_error) return cancel(stripe, charge, intent)
  try {
    const how = { payment_method: charge.paymentMethodId as string }
    return await stripe.paymentIntents.confirm(intent.id, how, keyed(charge, 'confirm'))
  } catch (error) {
    if (error instanceof Stripe.errors.StripeCardError) return cancel(stripe, charge, intent)
    if (isUnexpectedState(error)) return stripe.paymentIntents.retrieve(intent.id)
    throw error
  }
}

/** After this it can never succeed, unless it has: then that is what is answered. */
async function cancel(
  stripe: Stripe,
  charge: ChargeDocument,
  { id }: Stripe.PaymentIntent,
): Promise<Stripe.PaymentIntent> {
  try {
    return await stripe.paymentIntents.cancel(id, {}, keyed(charge, 'cancel'))
  } catch (error) {
    if (!isUnexpectedState(error)) throw error
    return stripe.paymentIntents.retrieve(id)
  }
}

function outcomeOf({ id, status, amount_received: received }: Stripe.PaymentIntent, charge: ChargeDocument): Taken {
  if (status === 'canceled') return { failed: charge.abandoned ?? 'payment_declined' }
  if (status !== 'succeeded') return 'waiting'
  if (received !== charge.amount) throw new Error(`${id} took ${received}, its charge is of ${charge.amount}`)
  return 'taken'
}

const CONFIRMABLE: readonly string[] = ['requires_payment_method', 'requires_confirmation']
const CANCELLABLE: readonly string[] = [...CONFIRMABLE, 'requires_action', 'requires_capture']

const keyed = ({ _id }: ChargeDocument, step: string) => ({ idempotencyKey: `charge:${_id.toHexString()}:${step}` })

const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Stripe.errors.StripeInvalidRequestError && error.code === code

const isUnexpectedState = (error: unknown): boolean => hasCode(error, 'payment_intent_unexpected_state')

/** No answer is no outcome: whoever drives the charge comes again. */
async function asking<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    if (!leavesOpen(error)) throw error
    throw new Refusal('unavailable', 'Stripe did not answer; the outcome is unknown.', undefined, { cause: error })
  }
}

import type Stripe from 'stripe'
import type { Context } from '../../platform/runtime/function.js'
import { failpoint } from '../../platform/lib/failpoints.js'
import { readCharge } from './charge.changes.js'
import type { Taken } from './charge.kinds.js'
import { Charge, type ChargeDocument } from './charge.model.js'
import { asking, hasCode, isDefiniteNo, requireStripe } from './stripe.remote.js'
import { intentMeaning } from './stripe.states.js'

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
 *
 * A definite no ends the charge at once: to the intent, so that there is none; to its confirmation, by cancelling it.
 */
export const takeByStripe = (ctx: Context, charge: ChargeDocument): Promise<Taken> =>
  asking(async () => {
    const stripe = requireStripe(ctx)
    const known = await intentOf(ctx, stripe, charge)
    if ('failed' in known) return known
    return outcomeOf(await moveOn(ctx, stripe, charge, known), charge)
  })

type Failed = Extract<Taken, { failed: string }>

/** The charge's one intent, or why there is none, and never will be. */
async function intentOf(ctx: Context, stripe: Stripe, charge: ChargeDocument): Promise<Stripe.PaymentIntent | Failed> {
  if (charge.intentId !== undefined) return stripe.paymentIntents.retrieve(charge.intentId)
  if (charge.abandoned !== undefined) return { failed: charge.abandoned }
  const made = await makeIntent(ctx, stripe, charge)
  if ('failed' in made) return made
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
  const { intentId, abandoned = 'payment_declined' } = await readCharge(ctx, charge)
  return intentId === undefined ? { failed: abandoned } : stripe.paymentIntents.retrieve(intentId)
}

async function makeIntent(
  ctx: Context,
  stripe: Stripe,
  charge: ChargeDocument,
): Promise<Stripe.PaymentIntent | Failed> {
  try {
    return await stripe.paymentIntents.create(
      {
        amount: charge.amount,
        currency: ctx.config.stripe.currency,
        metadata: { chargeId: charge._id.toHexString(), orderId: charge.orderId.toHexString() },
        automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
      },
      keyed(charge, 'create'),
    )
  } catch (error) {
    if (!isDefiniteNo(error)) throw error
    ctx.log.warn({ chargeId: charge._id, err: error }, 'Stripe makes no intent of a charge')
    return { failed: hasCode(error, ...BAD_AMOUNTS) ? 'amount_not_payable' : 'payment_declined' }
  }
}

const BAD_AMOUNTS = ['amount_too_small', 'amount_too_large']

/** Confirms an intent that waits for it, or cancels one that was declined or given up. Answers it as it then is. */
async function moveOn(
  ctx: Context,
  stripe: Stripe,
  charge: ChargeDocument,
  intent: Stripe.PaymentIntent,
): Promise<Stripe.PaymentIntent> {
  const meaning = intentMeaning(intent)
  if (meaning === 'withdraw') return cancel(stripe, charge, intent)
  if (meaning !== 'waits' || !CANCELLABLE.includes(intent.status)) return intent
  if (charge.abandoned !== undefined) return cancel(stripe, charge, intent)
  const waitsForUs = charge.paymentMethodId !== undefined && CONFIRMABLE.includes(intent.status)
  if (!waitsForUs) return intent
  if (intent.last_payment_error) return cancel(stripe, charge, intent)
  try {
    const how = { payment_method: charge.paymentMethodId as string }
    return await stripe.paymentIntents.confirm(intent.id, how, keyed(charge, 'confirm'))
  } catch (error) {
    if (isUnexpectedState(error)) return stripe.paymentIntents.retrieve(intent.id)
    if (!isDefiniteNo(error)) throw error
    // Declined, or a payment method that is gone, used up, or of another kind: it would be again.
    ctx.log.info({ chargeId: charge._id, err: error }, 'Stripe refuses the payment method of a charge')
    return cancel(stripe, charge, intent)
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

function outcomeOf(intent: Stripe.PaymentIntent, charge: ChargeDocument): Taken {
  const { amount_received: received } = intent
  switch (intentMeaning(intent)) {
    case 'failed':
      return { failed: charge.abandoned ?? 'payment_declined' }
    case 'waits':
    case 'withdraw':
      return 'waiting'
    case 'taken':
      return received === charge.amount ? 'taken' : { received }
  }
}

const CONFIRMABLE: readonly string[] = ['requires_payment_method', 'requires_confirmation']
const CANCELLABLE: readonly string[] = [...CONFIRMABLE, 'requires_action']

const keyed = ({ _id }: ChargeDocument, step: string) => ({ idempotencyKey: `charge:${_id.toHexString()}:${step}` })

const isUnexpectedState = (error: unknown): boolean => hasCode(error, 'payment_intent_unexpected_state')

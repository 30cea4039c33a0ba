import Stripe from 'stripe'
import { Refusal } from '../../platform/contract/errors.js'
import type { System } from '../../platform/runtime/system.js'

/** A call that gets no answer leaves the outcome open; the next one with the same key, or a look, tells. */
const ANSWERS_PER_DEADLINE = 4

/** The library on the configured host and key; null where no key is set. */
export function stripeClient({ config }: Pick<System, 'config'>): Stripe | null {
  const { secretKey, url } = config.stripe
  if (secretKey === '') return null
  const { protocol, hostname, port } = new URL(url)
  return new Stripe(secretKey, {
    protocol: protocol === 'http:' ? 'http' : 'https',
    host: hostname,
    port: port || (protocol === 'http:' ? 80 : 443),
    timeout: Math.floor(config.deadlinesMs.money / ANSWERS_PER_DEADLINE),
    // Whoever drives the charge comes again, with the same idempotency key: a second hidden retry would only take time.
    maxNetworkRetries: 0,
    telemetry: false,
  })
}

/** The client, or the refusal where this system takes no such payments. */
export function requireStripe(system: Pick<System, 'use'>): Stripe {
  const stripe = system.use(stripeClient)
  if (!stripe) throw new Refusal('payment_method_unavailable', 'Payments by Stripe are not set up here.')
  return stripe
}

/**
 * Runs calls to Stripe. What is not a definite no is no outcome: not reached, not known, too many at once, the same key
 * under way elsewhere, a key of ours that is not accepted. Whoever drives the charge comes again.
 */
export async function asking<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    if (!(error instanceof Stripe.errors.StripeError) || isDefiniteNo(error)) throw error
    throw new Refusal('unavailable', 'Stripe did not answer; the outcome is unknown.', undefined, { cause: error })
  }
}

/** Stripe has understood the request, refuses it, and would refuse it again. */
export const isDefiniteNo = (error: unknown): error is Stripe.errors.StripeError =>
  error instanceof Stripe.errors.StripeCardError || error instanceof Stripe.errors.StripeInvalidRequestError

export const hasCode = (error: unknown, ...codes: string[]): boolean =>
  isDefiniteNo(error) && error.code !== undefined && codes.includes(error.code)

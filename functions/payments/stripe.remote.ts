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

/** Whether Stripe says that it does not know, or was not reached: the request may have taken effect, or may yet. */
export const leavesOpen = (error: unknown): boolean =>
  error instanceof Stripe.errors.StripeConnectionError ||
  error instanceof Stripe.errors.StripeAPIError ||
  error instanceof Stripe.errors.StripeRateLimitError ||
  // The same key is under way elsewhere.
  error instanceof Stripe.errors.StripeIdempotencyError

import Stripe from 'stripe'

/** What a webhook of Stripe's says, as far as it matters here. */
export interface StripeNews {
  eventId: string
  type: string
  /** Of events of payment intents. */
  intent?: { id: string; chargeId: string | undefined }
}

/** How old a signature may be, and how far clocks may differ: older ones could be sent again by whoever saw them. */
const TOLERANCE_S = 300

/** Null where Stripe has not signed it, or too long ago. */
export function readStripeEvent(
  body: Buffer,
  signature: string | string[] | undefined,
  { webhookSecret }: { webhookSecret: string },
  now: Date,
): StripeNews | null {
  if (typeof signature !== 'string') return null
  let event: Stripe.Event
  try {
    event = Stripe.webhooks.constructEvent(body, signature, webhookSecret, TOLERANCE_S, undefined, now.getTime())
  } catch (error) {
    if (error instanceof Stripe.errors.StripeSignatureVerificationError) return null
    throw error
  }
  const { id: eventId, type, data } = event
  if (!type.startsWith('payment_intent.')) return { eventId, type }
  const { id, metadata } = data.object as Stripe.PaymentIntent
  return { eventId, type, intent: { id, chargeId: metadata['chargeId'] } }
}

import Stripe from 'stripe'

/** What a webhook of Stripe's says, as far as it matters here. */
export interface StripeNews {
  eventId: string
  type: string
  /** Of events of payment intents, of refunds and of disputes: the intent that they are about. */
  intent?: { id: string; chargeId: string | undefined; about: 'intent' | 'refunds' }
}

/** The events that say something of money that went back, or was asked back. Their objects name the intent. */
const OF_REFUNDS = ['refund.', 'charge.refund', 'charge.dispute.']

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
  // The library refuses old signatures alone; one from the future could be sent again until it is old.
  const [, signedAtS = '0'] = /(?:^|,)t=(\d{1,15})(?:,|$)/.exec(signature) ?? []
  if (Number(signedAtS) > now.getTime() / 1000 + TOLERANCE_S) return null
  let event: Stripe.Event
  try {
    event = Stripe.webhooks.constructEvent(body, signature, webhookSecret, TOLERANCE_S, undefined, now.getTime())
  } catch {
    // Not signed so, or no JSON, or an event of another kind than is expected here.
    return null
  }
  if (!isEvent(event)) return null
  const { id: eventId, type, data } = event
  if (type.startsWith('payment_intent.')) {
    const { id, metadata } = data.object as Pick<Stripe.PaymentIntent, 'id'> & { metadata?: Record<string, string> }
    return { eventId, type, intent: { id, chargeId: metadata?.['chargeId'], about: 'intent' } }
  }
  if (!OF_REFUNDS.some((each) => type.startsWith(each))) return { eventId, type }
  const { payment_intent: intent, metadata } = data.object as Stripe.Refund | Stripe.Dispute | Stripe.Charge
  const id = typeof intent === 'string' ? intent : intent?.id
  return { eventId, type, ...(id && { intent: { id, chargeId: metadata?.['chargeId'], about: 'refunds' } }) }
}

const isEvent = (event: unknown): boolean => {
  const { id, type, data } = (event ?? {}) as { id?: unknown; type?: unknown; data?: { object?: unknown } }
  return typeof id === 'string' && typeof type === 'string' && typeof data?.object === 'object' && data.object !== null
}

/** The states of a charge, and what moves it out of each. */
export const CHARGE_STATES = [
  'pending',
  'failed',
  'paid',
  'accepted',
  'settled',
  'reclaiming',
  'refunding',
  'refunded',
] as const
export type ChargeState = (typeof CHARGE_STATES)[number]

export const CHARGE_TRANSITIONS: Record<ChargeState, readonly ChargeState[]> = {
  /** Registered; the money is being taken, or the buyer is still to confirm it with Stripe. */
  pending: ['paid', 'failed'],
  /** Final. No money was taken, and none ever can be. */
  failed: [],
  /** The money is here. The order decides: it is completed by this charge, or turns it away. */
  paid: ['accepted', 'refunding'],
  /** It completed its order. The seller is being credited. */
  accepted: ['settled'],
  /** The seller has it. Only an admin takes it back, from the seller. */
  settled: ['reclaiming'],
  /** The seller is being debited, and may not have it any more. */
  reclaiming: ['refunding', 'settled'],
  /** The buyer is being given everything back. */
  refunding: ['refunded'],
  /** Final. */
  refunded: [],
}

/** Somebody has to do something: recovery looks for charges that stay in these. */
export const OPEN_CHARGES: readonly ChargeState[] = ['pending', 'accepted', 'reclaiming', 'refunding']

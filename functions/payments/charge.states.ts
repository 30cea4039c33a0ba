/** The states of a charge, and what moves it out of each. */
export const CHARGE_STATES = ['pending', 'failed', 'paid', 'accepted', 'settled', 'refunding', 'refunded'] as const
export type ChargeState = (typeof CHARGE_STATES)[number]

export const CHARGE_TRANSITIONS: Record<ChargeState, readonly ChargeState[]> = {
  /** Registered; the money is being taken, or the buyer is still to confirm it with Stripe. */
  pending: ['paid', 'failed', 'refunding'],
  /** Final. No money was taken, and none ever can be. */
  failed: [],
  /** The money is here. The order decides: it is completed by this charge, or turns it away. */
  paid: ['accepted', 'refunding'],
  /** It completed its order. The seller is being credited. */
  accepted: ['settled'],
  /** The seller has it, but for what its refunds have taken back. */
  settled: ['refunded'],
  /** It completes no order: the buyer is being given everything back, and no seller is asked. */
  refunding: ['refunded'],
  /** Final. The buyer has been given everything back, by one refund or by several. */
  refunded: [],
}

/** Somebody has to do something: recovery looks at charges in these. A `paid` one waits for its order's event. */
export const OPEN_CHARGES: readonly ChargeState[] = ['pending', 'accepted', 'refunding']

/** The states of a refund: what has come of the money on its way to the buyer. */
export const REFUND_STATES = ['waiting', 'sending', 'pending', 'disputed', 'refunded', 'failed', 'rejected'] as const
export type RefundState = (typeof REFUND_STATES)[number]

export const REFUND_TRANSITIONS: Record<RefundState, readonly RefundState[]> = {
  /** Registered, and its amount taken out of what is left of the charge. The seller is being debited. */
  waiting: ['sending', 'rejected'],
  /** The seller's part is here. Stripe, or the buyer's balance, is being asked to take it. */
  sending: ['pending', 'refunded', 'failed', 'rejected'],
  /** Stripe has it on its way, or waits for the buyer to say where to. */
  pending: ['refunded', 'failed'],
  /** The buyer's bank asked for it, and decides: Stripe holds it meanwhile. */
  disputed: ['refunded', 'rejected'],
  /** The buyer has it. Stripe may still find that it could not be delivered, or an appeal bring it back. */
  refunded: ['failed'],
  /** It could not be delivered: we hold it, and owe it to the buyer. An admin decides (resolveRefund). */
  failed: ['sending', 'refunded', 'rejected'],
  /** Final. The buyer was not given it: its amount is back in what is left of the charge. */
  rejected: [],
}

/** The states of a refund's other half: whether the seller, who was credited with the money, has given it back. */
export const SELLER_STATES = ['none', 'debiting', 'debited', 'owes', 'waived', 'crediting', 'credited'] as const
export type SellerState = (typeof SELLER_STATES)[number]

export const SELLER_TRANSITIONS: Record<SellerState, readonly SellerState[]> = {
  /** The seller never had it, or is not to give it back. */
  none: [],
  debiting: ['debited', 'owes', 'none'],
  debited: ['crediting'],
  /** The buyer has it already, and the seller's balance does not cover it. An admin decides (resolveRefund). */
  owes: ['debiting', 'waived', 'none'],
  /** Final. We bear it. */
  waived: [],
  /** The refund was rejected: the seller is being given it again. */
  crediting: ['credited'],
  /** Final. */
  credited: [],
}

/** The states of an order, and what moves it out of each. */
export const ORDER_STATES = ['created', 'awaiting_payment', 'complete', 'cancelled'] as const
export type OrderState = (typeof ORDER_STATES)[number]

export const ORDER_TRANSITIONS: Record<OrderState, readonly OrderState[]> = {
  /** Holds its ticket. The ticket says that it is locked; or a payment, the timer or the buyer is faster. */
  created: ['awaiting_payment', 'complete', 'cancelled'],
  /** A payment completes it; the timer or the buyer cancels it. */
  awaiting_payment: ['complete', 'cancelled'],
  /** Paid. Only a refund takes it back. */
  complete: ['cancelled'],
  /** Holds nothing. An expired one is completed by a payment that arrives late, if its ticket is still free. */
  cancelled: ['complete'],
}

/** An order in these holds its ticket: the unique partial index lists the same. */
export const HOLDING: readonly OrderState[] = ['created', 'awaiting_payment', 'complete']

/** Unpaid, and holding its ticket: the unique partial index of a buyer's slots lists the same. */
export const OPEN: readonly OrderState[] = ['created', 'awaiting_payment']

/** From where an order may come to a state. */
export const statesBefore = (state: OrderState): OrderState[] =>
  ORDER_STATES.filter((each) => ORDER_TRANSITIONS[each].includes(state))

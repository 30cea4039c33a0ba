import { z } from 'zod'
import { defineContract, operation, subscriber } from '../../platform/contract/contract.js'
import { defineEvents } from '../../platform/contract/events.js'
import { defineNews } from '../../platform/contract/news.js'
import { id, listOf, page, price, time, version } from '../../platform/contract/types.js'
import { ticket } from '../tickets/contract.js'
import { ORDER_STATES } from './order.states.js'

export const orderState = z.enum(ORDER_STATES)

export const order = z.object({
  id,
  /** The buyer. */
  userId: id,
  ticketId: id,
  /** The ticket's, when it was ordered. */
  price,
  state: orderState,
  /** Why it was cancelled. */
  reason: z.enum(['expired', 'cancelled_by_user', 'cancelled_by_admin', 'refunded']).optional(),
  /** When it lets the ticket go, unless it is paid. */
  expiresAt: time,
  /** The charge that completed it. */
  chargeId: id.optional(),
  version,
  createdAt: time,
  updatedAt: time,
})

/** What other domains learn of an order, by its events. */
export const orderNews = order.extend({
  /** Who is paid when it completes. */
  sellerId: id,
  /** Counts the holds of the ticket from 1. */
  hold: z.int().min(1),
})

/** What an order must know of a charge. */
const paidCharge = z.object({ id, orderId: id })

export const emits = defineEvents('orders', {
  'order:created': { when: 'A buyer ordered a ticket; from now on the order holds it.', payload: orderNews },
  'order:reserved': { when: 'The ticket is locked for the order, which now awaits payment.', payload: orderNews },
  'order:completed': { when: 'A charge has paid the order: the ticket is sold.', payload: orderNews },
  'order:cancelled': { when: 'The order came to nothing or was refunded, and lets its ticket go.', payload: orderNews },
})

declare module '../../platform/contract/events.js' {
  interface EmittedEvents {
    orders: typeof emits
  }
}

export const news = defineNews({
  'order:updated': { when: 'To the buyer: an order was made, or has moved on.', toUser: order },
})

export const orders = defineContract('orders', {
  createOrder: operation({
    summary: 'Holds a ticket for the caller, for a while: to be paid until expiresAt.',
    access: 'user',
    input: z.strictObject({
      orderId: id.optional(),
      ticketId: id,
      /** What the buyer saw: where the ticket costs more by now, nothing is held. */
      maxPrice: price.optional(),
    }),
    output: order,
    errors: [
      'order_id_reused',
      'ticket_not_found',
      'ticket_reserved',
      'price_changed',
      'too_many_orders',
      'order_too_soon',
    ],
    quota: { count: 'orders' },
    deadline: 'quick',
    idempotent: true,
    key: ({ ticketId }) => ticketId,
    newId: 'orderId',
  }),
  cancelOrder: operation({
    summary: 'Lets the ticket of an order go that is not paid: own ones, or any for admins.',
    access: 'user',
    input: z.strictObject({ orderId: id }),
    output: order,
    errors: ['order_not_found', 'order_complete'],
    deadline: 'quick',
    idempotent: true,
    key: ({ orderId }) => orderId,
  }),
  getOrder: operation({
    summary: 'One order: own ones, or any for admins.',
    access: 'user',
    input: z.strictObject({ orderId: id }),
    output: order,
    errors: ['order_not_found'],
    deadline: 'quick',
    idempotent: true,
    reads: true,
  }),
  listOrders: operation({
    summary: 'Orders, newest first: own ones, or any for admins.',
    access: 'user',
    input: z.strictObject({ userId: id.optional(), state: orderState.optional(), ...page }),
    output: listOf(order),
    errors: ['forbidden', 'invalid_input'],
    deadline: 'quick',
    idempotent: true,
    reads: true,
  }),

  copyOrder: operation({
    summary: 'For domains that need an order before its events have come: all that these would tell.',
    access: 'internal',
    input: z.strictObject({ orderId: id }),
    output: orderNews,
    errors: ['order_not_found'],
    deadline: 'quick',
    idempotent: true,
    key: ({ orderId }) => orderId,
  }),
  followTicket: subscriber({
    summary: 'An order whose ticket is locked for it awaits payment.',
    payload: ticket,
    subscribes: ['ticket:updated'],
  }),
  expireOrder: subscriber({
    summary: 'Cancels an order that was not paid in time.',
    payload: z.object({ orderId: id }),
    subscribes: ['expiration:complete'],
  }),
  settleCharge: subscriber({
    summary: 'Decides what becomes of a payment: it completes its order, or goes back, with the reason.',
    payload: paidCharge,
    deadline: 'money',
    subscribes: ['charge:created'],
  }),
  undoOrder: subscriber({
    summary: 'Cancels a complete order whose charge was refunded: its ticket is for sale again.',
    payload: paidCharge,
    subscribes: ['charge:refunded'],
  }),
  tellOrder: subscriber({
    summary: 'Tells the buyer of every change of an order, over the sockets, as `order:updated`.',
    payload: order,
    subscribes: ['order:created', 'order:reserved', 'order:completed', 'order:cancelled'],
  }),
})

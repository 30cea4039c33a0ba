import { z } from 'zod'
import { backlogOperation } from '../../platform/contract/backlog.js'
import { defineContract, operation, subscriber } from '../../platform/contract/contract.js'
import { defineEvents } from '../../platform/contract/events.js'
import { defineNews } from '../../platform/contract/news.js'
import { amount, id, line, listOf, money, page, time, version } from '../../platform/contract/types.js'
import { adminAlert } from '../events/contract.js'
import { orderNews } from '../orders/contract.js'
import { CHARGE_STATES, REFUND_STATES, SELLER_STATES } from './charge.states.js'

const method = z.enum(['balance', 'stripe'])

const refund = z.object({
  id,
  /** 0: a bank only asks, and has taken nothing. */
  amount: money,
  /** Who began it: the order that turned the charge away, an admin, somebody in Stripe's dashboard, the buyer's bank. */
  origin: z.enum(['order', 'admin', 'stripe', 'dispute']),
  state: z.enum(REFUND_STATES),
  /** Why it was made; of a rejected one why not. */
  reason: z.string(),
  /** For admins: whether the seller has given it back. */
  seller: z.enum(SELLER_STATES).optional(),
  /** For admins: Stripe's refund or dispute, and how it stands there. */
  stripeId: z.string().optional(),
  stripeStatus: z.string().optional(),
  createdAt: time,
  lastModified: time,
})

export const charge = z.object({
  id,
  orderId: id,
  /** The buyer. */
  userId: id,
  /** The order's price. */
  amount: money,
  method,
  /** paid: the order decides. accepted, settled: it completed the order, and the seller is, or has been, credited. */
  state: z.enum(CHARGE_STATES),
  /** Why it failed, or is given back. */
  reason: z.string().optional(),
  /** Of a pending charge by Stripe: what the buyer confirms the payment with. */
  clientSecret: z.string().optional(),
  /** What the buyer has got back of it. */
  refunded: money,
  /** Oldest first. Those that are not rejected never add up to more than was received. */
  refunds: z.array(refund),
  /** For admins: recovery has given up. */
  parked: z.boolean().optional(),
  /** For admins: it waits for one. */
  attention: z.boolean().optional(),
  version,
  createdAt: time,
  lastModified: time,
})

/** As its buyer sees it; with what admins are to be told, if anything. */
const chargeNews = charge.extend({ alert: adminAlert.optional() })

export const emits = defineEvents('payments', {
  'charge:created': {
    when: 'The money of a charge has arrived; its order decides what becomes of it.',
    payload: chargeNews,
  },
  'charge:updated': {
    when: 'A refund was begun or moved on, or admins are to be told of the charge.',
    payload: chargeNews,
  },
  'charge:refunded': { when: 'The buyer has all of the charge back.', payload: chargeNews },
})

declare module '../../platform/contract/events.js' {
  interface EmittedEvents {
    payments: typeof emits
  }
}

/** To admins; the message is for people, and says who owes whom. */
const alert = adminAlert.omit({ name: true })

export const news = defineNews({
  'charge:updated': {
    when: 'To the buyer: a charge was paid or refunded, or one of its refunds moved on.',
    toUser: charge,
  },
  'charge:disputed': { when: "To all admins: the buyer's bank disputes a charge.", toUser: alert },
  'charge:mismatched': { when: 'To all admins: Stripe received another amount than was asked for.', toUser: alert },
  'charge:parked': { when: 'To all admins: recovery has given up on a charge.', toUser: alert },
  'refund:failed': { when: 'To all admins: Stripe could not give a refund back.', toUser: alert },
  'refund:owed': { when: 'To all admins: the seller cannot cover a refund that the buyer has.', toUser: alert },
})

/** What a payment was made for: `{type: 'charge', id}`. */
const cause = z.strictObject({ type: z.string().regex(/^[a-z_]{1,40}$/), id })

const someoneElse = (p: { payerId?: string | undefined; payeeId?: string | undefined }) =>
  (p.payerId !== undefined || p.payeeId !== undefined) && p.payerId !== p.payeeId

export const payments = defineContract('payments', {
  createCharge: operation({
    summary:
      'Pays an order, from the balance or by Stripe. The order then completes; where it cannot any more, all goes back.',
    access: 'user',
    input: z
      .strictObject({
        chargeId: id.optional(),
        orderId: id,
        method,
        /** By Stripe: pays at once with this payment method; without it, the buyer confirms with the clientSecret. */
        paymentMethodId: line(200).optional(),
      })
      .refine((input) => input.method === 'stripe' || input.paymentMethodId === undefined, {
        message: 'is for the method stripe',
        path: ['paymentMethodId'],
      }),
    output: charge,
    errors: [
      'charge_id_reused',
      'order_not_found',
      'order_complete',
      'order_cancelled',
      'payment_method_unavailable',
      'own_ticket',
      'balance_limit_exceeded',
      'insufficient_funds',
      'amount_not_payable',
      'payment_declined',
    ],
    quota: { count: 'charges' },
    deadline: 'money',
    idempotent: true,
    key: ({ orderId }) => orderId,
    newId: 'chargeId',
  }),
  getCharge: operation({
    summary: 'One charge: own ones, or any for admins.',
    access: 'user',
    input: z.strictObject({ chargeId: id }),
    output: charge,
    errors: ['charge_not_found'],
    deadline: 'quick',
    idempotent: true,
    reads: true,
  }),
  listCharges: operation({
    summary:
      'Charges, newest first: own ones, or any for admins; of one order, where it is named; with `attention` those that wait for an admin.',
    access: 'user',
    input: z.strictObject({
      userId: id.optional(),
      orderId: id.optional(),
      attention: z.literal(true).optional(),
      ...page,
    }),
    output: listOf(charge),
    errors: ['forbidden', 'invalid_input'],
    deadline: 'quick',
    idempotent: true,
    reads: true,
  }),
  refundCharge: operation({
    summary:
      "Gives a buyer money back, or all that is left: the seller's balance must cover it. What is refunded in full cancels its order.",
    access: 'admin',
    input: z.strictObject({ chargeId: id, refundId: id.optional(), amount: amount.optional() }),
    output: charge,
    errors: [
      'charge_not_found',
      'refund_id_reused',
      'charge_not_refundable',
      'charge_disputed',
      'refund_exceeds_charge',
      'insufficient_funds',
      'refund_rejected',
    ],
    deadline: 'money',
    idempotent: true,
    key: ({ chargeId }) => chargeId,
    newId: 'refundId',
  }),
  resolveRefund: operation({
    summary:
      'Ends a refund that waits for an admin. Failed: retry, to_balance, paid_outside, to_seller. Owed by the seller: collect, waive.',
    access: 'admin',
    input: z.strictObject({
      chargeId: id,
      refundId: id,
      how: z.enum(['retry', 'to_balance', 'paid_outside', 'to_seller', 'collect', 'waive']),
    }),
    output: charge,
    errors: ['charge_not_found', 'refund_not_found', 'refund_not_resolvable'],
    deadline: 'money',
    idempotent: false,
    key: ({ chargeId }) => chargeId,
  }),
  recoverCharges: operation({
    summary:
      'Drives charges and refunds on that stand still; the recovery job calls it. With chargeId one, parked or not.',
    access: 'admin',
    input: z.strictObject({ chargeId: id.optional() }),
    output: z.object({ examined: z.int(), moved: z.int(), parked: z.int() }),
    errors: ['charge_not_found'],
    deadline: 'sweep',
    idempotent: true,
  }),

  followOrder: subscriber({
    summary: 'Keeps the copy of an order; credits the seller of a complete one; gives up payments of a cancelled one.',
    payload: orderNews,
    errors: ['out_of_order'],
    deadline: 'money',
    subscribes: ['order:created', 'order:reserved', 'order:completed', 'order:cancelled'],
  }),
  returnCharge: operation({
    summary: 'For orders: gives the money of a charge back that its order turned away.',
    access: 'internal',
    input: z.strictObject({ chargeId: id, reason: z.string().max(100) }),
    output: z.object({}),
    errors: ['charge_not_found', 'charge_not_refundable'],
    deadline: 'money',
    idempotent: true,
    key: ({ chargeId }) => chargeId,
  }),
  receiveStripeEvent: operation({
    summary:
      'For the webhooks: something happened to a payment intent, or to its refunds. The charge looks for itself what.',
    access: 'internal',
    input: z.strictObject({
      intentId: z.string().max(200),
      chargeId: id.optional(),
      /** refunds: or disputes. */
      about: z.enum(['intent', 'refunds']).default('intent'),
    }),
    output: z.object({ known: z.boolean() }),
    errors: [],
    deadline: 'money',
    idempotent: true,
    key: ({ chargeId }) => chargeId,
  }),
  tellCharge: subscriber({
    summary: 'Tells the buyer of every change of a charge, over the sockets, as `charge:updated`.',
    payload: charge,
    subscribes: ['charge:created', 'charge:updated', 'charge:refunded'],
  }),

  pay: operation({
    summary: 'Moves money from a payer, to a payee, or both, once per paymentId; answers when it is COMMITTED.',
    access: 'internal',
    input: z
      .strictObject({
        paymentId: id,
        /** Pays before the decision, and may refuse: `insufficient_funds`. */
        payerId: id.optional(),
        /** Receives after the decision, and cannot refuse: must be a user who exists. */
        payeeId: id.optional(),
        amount: money,
        cause,
      })
      // Both have one set of places for payments: the payee would take the payer's mark for its own.
      .refine(someoneElse, { message: 'needs a payer or a payee, and not the same user as both', path: ['payeeId'] }),
    output: z.object({ id, state: z.literal('COMMITTED') }),
    errors: ['payment_id_reused', 'payment_cancelled', 'insufficient_funds'],
    deadline: 'money',
    idempotent: true,
    key: ({ payerId }) => payerId,
  }),
  refund: operation({
    summary: 'Gives a payer everything back, once; answers when it is there. Only where nobody has received it.',
    access: 'internal',
    input: z.strictObject({ paymentId: id }),
    output: z.object({
      /** CANCELLED: it was never decided. COMMITTED: then its reversal is. */
      state: z.enum(['CANCELLED', 'COMMITTED']),
      reversalId: id.optional(),
    }),
    errors: ['payment_not_found', 'payment_not_refundable'],
    deadline: 'money',
    idempotent: true,
    key: ({ paymentId }) => paymentId,
  }),
  recoverPayments: operation({
    summary: 'Drives stuck payments to their end; the recovery job calls it. With paymentId one, parked or not.',
    access: 'admin',
    input: z.strictObject({ paymentId: id.optional() }),
    output: z.object({
      examined: z.int(),
      reapplied: z.int(),
      committed: z.int(),
      cancelled: z.int(),
      parked: z.int(),
    }),
    errors: ['payment_not_found', 'payment_not_stuck'],
    deadline: 'sweep',
    idempotent: true,
  }),
  findSettledPayments: operation({
    summary:
      'For tidyUsers: which of these payments are final, with `before` also created before it; and which of these users have an older one that is not.',
    access: 'internal',
    input: z.strictObject({
      paymentIds: z.array(id).max(1000).default([]),
      userIds: z.array(id).max(1000).default([]),
      before: time.optional(),
    }),
    output: z.object({ settled: z.array(id), outstanding: z.array(id) }),
    errors: [],
    deadline: 'quick',
    idempotent: true,
  }),
  auditPayments: operation({
    summary: 'For auditBooks: checks the payments of these users against what auditUsers says of their ledgers.',
    access: 'internal',
    input: z.strictObject({ userIds: z.array(id).max(200) }),
    output: z.object({
      checked: z.int(),
      violations: z.array(z.object({ rule: z.string(), entityId: z.string(), detail: z.string() })),
      /** Waiting for an admin. */
      parked: z.array(id),
      /** Charges that wait for one: parked, or with a refund that failed or that the seller owes. */
      unresolvedCharges: z.array(id),
    }),
    errors: [],
    deadline: 'sweep',
    idempotent: true,
  }),
  reportStuckPayments: backlogOperation('payments and charges that are stuck, parked, or wait for an admin.'),
})

import mongoose from 'mongoose'
import type { Document } from '../documents.js'
import { account } from '../standIns/payments.js'
import { casesOf, START, type Case } from '../theatre.js'
import { dashboard, IDS, INTENT, PRICE, recover, refund, REFUNDS, resolve, webhook } from './theatre.js'

/** Refunds: who meets whom, over a charge of 1,000 that its seller was credited with. */

const { ObjectId } = mongoose.Types
const PART = 600

const charge = (set: Record<string, unknown> = {}): Document => ({
  _id: new ObjectId(IDS.charge),
  orderId: new ObjectId(IDS.order),
  userId: new ObjectId(IDS.buyer),
  sellerId: new ObjectId(IDS.seller),
  amount: PRICE,
  method: 'stripe',
  state: 'settled',
  paymentId: new ObjectId(IDS.payment),
  payoutId: new ObjectId(IDS.payout),
  left: PRICE,
  refunds: [],
  intentId: INTENT,
  failures: 0,
  parked: false,
  attention: false,
  unseen: false,
  version: 1,
  revision: 1,
  request: { by: IDS.buyer, hash: '' },
  createdAt: START,
  lastModified: START,
  ...set,
})

const stripe = (left: number, refunds: object[] = []): Document => ({
  _id: new ObjectId(IDS.stripe),
  left,
  refunds,
  refused: [],
})

const accounts = (seller: number) => [account(IDS.buyer, 0), account(IDS.seller, seller)]

const PAID = { charges: [charge()], stripe: [stripe(PRICE)], accounts: accounts(PRICE) }
const BY_BALANCE = { charges: [charge({ method: 'balance', intentId: undefined })], accounts: accounts(PRICE) }

/** So much was given back in Stripe's dashboard. */
const givenBack = (amount: number) => ({
  ...PAID,
  stripe: [stripe(PRICE - amount, [{ id: 're_1', key: 'dashboard', amount, status: 'succeeded', metadata: {} }])],
})

/** A refund that Stripe made and could not deliver; the seller has given it back. */
const FAILED_REFUND = {
  _id: new ObjectId(IDS.refund),
  amount: PART,
  origin: 'admin',
  via: 'stripe',
  state: 'failed',
  seller: 'debited',
  reason: 'refunded_by_admin',
  debitId: new ObjectId('d3'.padStart(24, '0')),
  creditId: new ObjectId('d4'.padStart(24, '0')),
  payoutId: new ObjectId('d5'.padStart(24, '0')),
  attempt: 1,
  stripeId: 're_failed',
  stripeStatus: 'failed',
  createdAt: START,
  lastModified: START,
}
const FAILED = {
  charges: [charge({ left: PRICE - PART, refunds: [FAILED_REFUND], attention: true })],
  stripe: [
    stripe(PRICE, [
      {
        id: 're_failed',
        key: `refund:${IDS.refund}:1`,
        amount: PART,
        status: 'failed',
        metadata: { refundId: IDS.refund, attempt: '1' },
      },
    ]),
  ],
  accounts: [
    account(IDS.buyer, 0),
    {
      ...account(IDS.seller, PRICE),
      balance: PRICE - PART,
      ledger: [{ _id: FAILED_REFUND.debitId, cause: 'reclaim', causeId: IDS.refund, change: -PART }],
    },
  ],
}

const theCase = casesOf(REFUNDS)
const first = refund({ amount: PART })
const second = refund({ refundId: IDS.second, amount: PART, by: IDS.otherAdmin })
const TWO = { first: IDS.refund, second: IDS.second }

export const REFUND_CASES: readonly Case[] = [
  theCase({
    name: 'two-refunds',
    summary: 'Two admins give back 600 of 1,000 at once.',
    documents: PAID,
    executors: { first, second },
    reasons: ['refund_exceeds_charge'],
    asks: TWO,
  }),
  theCase({
    name: 'two-refunds-whole',
    summary: 'One gives back 400, another one all that is left.',
    documents: PAID,
    executors: { first: refund({ amount: PRICE - PART }), second: refund({ refundId: IDS.second }) },
    // The charge may be refunded by then.
    reasons: ['refund_exceeds_charge'],
    asks: TWO,
  }),
  theCase({
    name: 'two-refunds-poor',
    summary: 'Two give back 400 at once, and the balance of the seller covers one.',
    documents: { ...PAID, accounts: accounts(500) },
    executors: {
      first: refund({ amount: PRICE - PART }),
      second: refund({ refundId: IDS.second, amount: PRICE - PART, by: IDS.otherAdmin }),
    },
    reasons: ['insufficient_funds'],
    asks: TWO,
  }),
  theCase({
    name: 'two-refunds-balance',
    summary: 'What was paid from the balance: 400 of it, and all that is left, at once.',
    documents: BY_BALANCE,
    executors: { first: refund({ amount: PRICE - PART }), second: refund({ refundId: IDS.second }) },
    reasons: ['refund_exceeds_charge'],
    asks: TWO,
  }),
  theCase({
    name: 'refund-sent-twice',
    summary: 'A refund that is sent twice at once.',
    documents: PAID,
    executors: { first, again: first },
    reasons: [],
    asks: { first: IDS.refund, again: IDS.refund },
  }),
  theCase({
    name: 'refund-recovery',
    summary: 'A refund, and recovery that drives its charge meanwhile.',
    documents: PAID,
    executors: { first, recovery: recover() },
    reasons: [],
    asks: { first: IDS.refund },
  }),
  theCase({
    name: 'refund-recoveries',
    summary: 'Two recoveries at once, and a second refund, of a charge whose first refund crashed, wherever it did.',
    documents: PAID,
    executors: { first, recovery: recover(), 'second recovery': recover(), second },
    prelude: { fault: 'crash', times: 1 },
    reasons: ['refund_exceeds_charge'],
    asks: TWO,
  }),
  theCase({
    name: 'refund-dashboard',
    summary:
      "An admin and somebody in Stripe's dashboard give back 600 of 1,000 at once, and recovery drives the charge.",
    documents: PAID,
    executors: { first, dashboard: dashboard(PART), recovery: recover() },
    reasons: ['refund_exceeds_charge'],
    asks: { first: IDS.refund },
  }),
  theCase({
    name: 'refund-webhook',
    summary: 'An admin gives back 600, while Stripe tells of 400 that were given back in its dashboard.',
    documents: givenBack(PRICE - PART),
    executors: { first, webhook: webhook() },
    reasons: [],
    asks: { first: IDS.refund },
  }),
  theCase({
    name: 'refund-webhook-short',
    summary: 'The same of 600, after which 600 are no more to be had.',
    documents: givenBack(PART),
    executors: { first, webhook: webhook() },
    reasons: ['refund_exceeds_charge'],
    asks: { first: IDS.refund },
  }),
  theCase({
    name: 'failed-refund-retried',
    summary:
      'Of a refund that Stripe could not deliver: an admin has it tried again, another one gives it to the seller.',
    documents: FAILED,
    executors: { retry: resolve('retry'), 'to seller': resolve('to_seller') },
    reasons: [],
  }),
  theCase({
    name: 'failed-refund-to-balance',
    summary: "The same, and the other one gives it to the buyer's balance.",
    documents: FAILED,
    executors: { retry: resolve('retry'), 'to balance': resolve('to_balance'), recovery: recover() },
    reasons: [],
  }),
]

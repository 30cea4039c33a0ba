import mongoose from 'mongoose'
import type { Document } from '../documents.js'
import { casesOf, START, type Case } from '../theatre.js'
import { accounts, APPOINTMENTS, cancel, earn, IDS, PRICE, recover } from './theatre.js'

/** Cancellations: who meets whom, over a confirmed appointment with a price. */

const { ObjectId } = mongoose.Types
const DAY_MS = 24 * 3_600_000

const CONFIRMED: Document = {
  _id: new ObjectId(IDS.entry),
  stream: IDS.invitation,
  number: 1,
  kind: 'confirmed',
  by: new ObjectId(IDS.seller),
  requestId: 'request',
  at: START,
  invitation: {
    buyerId: new ObjectId(IDS.buyer),
    sellerId: new ObjectId(IDS.seller),
    from: new Date(START.getTime() + DAY_MS),
    to: new Date(START.getTime() + 2 * DAY_MS),
    note: '',
    price: PRICE,
    state: 'confirmed',
    paymentId: new ObjectId(IDS.payment),
  },
}

const RICH = { bookingLog: [CONFIRMED], accounts: accounts(PRICE) }
/** The seller has spent some of it. */
const POOR = { bookingLog: [CONFIRMED], accounts: accounts(PRICE - 1) }

const theCase = casesOf(APPOINTMENTS)
const REFUSED = ['insufficient_funds']

export const APPOINTMENT_CASES: readonly Case[] = [
  theCase({
    name: 'cancel-both',
    summary: 'Buyer and seller cancel an appointment at once.',
    documents: RICH,
    executors: { buyer: cancel('buyer'), seller: cancel('seller') },
    reasons: [],
  }),
  theCase({
    name: 'cancel-all',
    summary: 'Buyer, seller and an admin cancel an appointment at once.',
    documents: RICH,
    executors: { buyer: cancel('buyer'), seller: cancel('seller'), admin: cancel('admin') },
    reasons: [],
  }),
  theCase({
    name: 'cancel-recovery',
    summary: 'Recovery and the seller meet a cancellation whose buyer crashed, wherever it did.',
    documents: RICH,
    executors: { buyer: cancel('buyer'), seller: cancel('seller'), recovery: recover() },
    prelude: { fault: 'crash', times: 1 },
    reasons: [],
  }),
  theCase({
    name: 'cancel-poor',
    summary: 'Buyer and seller cancel it, the balance of the seller does not cover it, and the seller earns the rest.',
    documents: POOR,
    executors: { buyer: cancel('buyer'), seller: cancel('seller'), income: earn(1) },
    reasons: REFUSED,
  }),
  theCase({
    name: 'cancel-poor-recovery',
    summary: 'The same of one whose buyer crashed, and recovery.',
    documents: POOR,
    executors: { buyer: cancel('buyer'), seller: cancel('seller'), recovery: recover(), income: earn(1) },
    prelude: { fault: 'crash', times: 1 },
    reasons: REFUSED,
  }),
]

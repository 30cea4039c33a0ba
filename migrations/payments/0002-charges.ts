import { makes } from '../../platform/migrations/migration.js'
import {
  COUNT,
  DATE,
  documentOf,
  EVENTS,
  FLAG,
  ID,
  listOf,
  NEWEST_FIRST,
  objectOf,
  oneOf,
  orNull,
  PRICE,
  QUOTAS,
  REQUEST,
  TEXT,
} from '../../platform/migrations/shapes.js'

const refund = objectOf(
  {
    _id: ID,
    amount: PRICE,
    origin: oneOf('order', 'admin', 'stripe', 'dispute'),
    via: oneOf('balance', 'stripe'),
    state: oneOf('waiting', 'sending', 'pending', 'disputed', 'refunded', 'failed', 'rejected'),
    seller: oneOf('none', 'debiting', 'debited', 'owes', 'waived', 'crediting', 'credited'),
    reason: TEXT,
    debitId: ID,
    creditId: ID,
    payoutId: ID,
    attempt: COUNT,
    createdAt: DATE,
    lastModified: DATE,
  },
  { stripeId: TEXT, stripeStatus: TEXT, request: REQUEST },
)

const charge = documentOf(
  {
    orderId: ID,
    userId: ID,
    sellerId: ID,
    amount: PRICE,
    method: oneOf('balance', 'stripe'),
    state: oneOf('pending', 'failed', 'paid', 'accepted', 'settled', 'refunding', 'refunded'),
    paymentId: ID,
    payoutId: ID,
    left: PRICE,
    refunds: listOf(refund),
    failures: COUNT,
    parked: FLAG,
    attention: FLAG,
    unseen: FLAG,
    version: COUNT,
    revision: COUNT,
    request: REQUEST,
    createdAt: DATE,
    lastModified: DATE,
  },
  {
    reason: TEXT,
    received: PRICE,
    intentId: TEXT,
    clientSecret: TEXT,
    paymentMethodId: TEXT,
    abandoned: TEXT,
    dueAt: DATE,
  },
)

export default makes({
  charges: {
    schema: charge,
    indexes: [
      { key: { userId: 1, createdAt: -1, _id: -1 }, name: 'by_buyer_and_age' },
      { key: { orderId: 1, createdAt: -1, _id: -1 }, name: 'by_order_and_age' },
      NEWEST_FIRST,
      // Webhooks name the intent.
      {
        key: { intentId: 1 },
        name: 'one_charge_per_intent',
        unique: true,
        partialFilterExpression: { intentId: { $exists: true } },
      },
      // Clients choose the ids of refunds: each belongs to one charge.
      {
        key: { 'refunds._id': 1 },
        name: 'one_charge_per_refund',
        unique: true,
        partialFilterExpression: { 'refunds._id': { $exists: true } },
      },
      // Those that failed come last.
      { key: { failures: 1, dueAt: 1 }, name: 'recovery', partialFilterExpression: { dueAt: { $exists: true } } },
      {
        key: { attention: 1, createdAt: -1, _id: -1 },
        name: 'waiting_for_an_admin',
        partialFilterExpression: { attention: true },
      },
    ],
  },
  orderCopies: {
    schema: documentOf({
      userId: ID,
      sellerId: ID,
      ticketId: ID,
      price: PRICE,
      state: TEXT,
      reason: orNull(TEXT),
      chargeId: orNull(ID),
      version: COUNT,
    }),
  },
  events: EVENTS,
  quotas: QUOTAS,
})

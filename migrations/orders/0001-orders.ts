import { makes } from '../../platform/migrations/migration.js'
import {
  COUNT,
  DATE,
  documentOf,
  EVENTS,
  ID,
  listOf,
  NEWEST_FIRST,
  NUMBER,
  objectOf,
  oneOf,
  PRICE,
  QUOTAS,
  REQUEST,
  TEXT,
} from '../../platform/migrations/shapes.js'

export default makes({
  orders: {
    schema: documentOf(
      {
        userId: ID,
        ticketId: ID,
        sellerId: ID,
        price: PRICE,
        state: oneOf('created', 'awaiting_payment', 'complete', 'cancelled'),
        expiresAt: DATE,
        hold: NUMBER,
        slot: COUNT,
        refusedCharges: listOf(objectOf({ chargeId: ID, reason: TEXT })),
        version: COUNT,
        request: REQUEST,
        createdAt: DATE,
        updatedAt: DATE,
      },
      { reason: oneOf('expired', 'cancelled_by_user', 'cancelled_by_admin', 'refunded'), chargeId: ID },
    ),
    indexes: [
      // Who holds a ticket is decided by this index: of all orders that want it, one is there.
      {
        key: { ticketId: 1 },
        name: 'one_holder_per_ticket',
        unique: true,
        partialFilterExpression: { state: { $in: ['created', 'awaiting_payment', 'complete'] } },
      },
      { key: { ticketId: 1, hold: -1 }, name: 'one_order_per_hold', unique: true },
      // So many open orders a buyer as there are slots.
      {
        key: { userId: 1, slot: 1 },
        name: 'one_open_order_per_slot',
        unique: true,
        partialFilterExpression: { state: { $in: ['created', 'awaiting_payment'] } },
      },
      { key: { userId: 1, createdAt: -1, _id: -1 }, name: 'by_buyer_and_age' },
      NEWEST_FIRST,
    ],
  },
  events: EVENTS,
  quotas: QUOTAS,
})

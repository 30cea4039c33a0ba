import { makes } from '../../platform/migrations/migration.js'
import {
  BY_AGE,
  COUNT,
  DATE,
  documentOf,
  EVENTS,
  ID,
  PRICE,
  QUOTAS,
  REQUEST,
  TEXT,
} from '../../platform/migrations/shapes.js'

export default makes({
  tickets: {
    schema: documentOf(
      {
        userId: ID,
        title: TEXT,
        price: PRICE,
        hold: COUNT,
        version: COUNT,
        request: REQUEST,
        createdAt: DATE,
        updatedAt: DATE,
      },
      { orderId: ID },
    ),
    indexes: [
      BY_AGE,
      { key: { userId: 1, createdAt: 1, _id: 1 }, name: 'by_seller_and_age' },
      { key: { orderId: 1, createdAt: 1, _id: 1 }, name: 'by_lock_and_age' },
    ],
  },
  events: EVENTS,
  quotas: QUOTAS,
})

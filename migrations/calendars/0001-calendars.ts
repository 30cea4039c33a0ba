import { makes } from '../../platform/migrations/migration.js'
import {
  ANY_OBJECT,
  COUNT,
  DATE,
  documentOf,
  ID,
  LIST,
  logOf,
  matching,
  NUMBER,
  objectOf,
  oneOf,
  orNull,
  PRICE,
  PROJECTIONS,
  QUOTAS,
  TEXT,
} from '../../platform/migrations/shapes.js'

const kind = oneOf(
  'invited',
  'rescheduled',
  'withdrawn',
  'rejected',
  'confirmation_started',
  'confirmation_refused',
  'confirmed',
  'move_proposed',
  'move_declined',
  'moved',
  'cancellation_started',
  'cancellation_refused',
  'cancelled',
)

const invitation = objectOf(
  {
    buyerId: ID,
    sellerId: ID,
    from: DATE,
    to: DATE,
    note: TEXT,
    state: oneOf('invited', 'confirming', 'confirmed', 'cancelling', 'cancelled', 'rejected', 'withdrawn'),
  },
  {
    price: PRICE,
    reason: TEXT,
    confirmationId: ID,
    paymentId: ID,
    proposal: objectOf({ by: oneOf('buyer', 'seller'), from: DATE, to: DATE }),
    cancelledBy: oneOf('buyer', 'seller', 'admin'),
    refundId: ID,
  },
)

export default makes({
  bookingLog: logOf(
    { stream: matching('^[0-9a-f]{24}$'), kind, by: orNull(ID), invitation },
    { previous: objectOf({ from: DATE, to: DATE }) },
  ),
  calendarHeads: {
    schema: documentOf({ holds: LIST, settling: LIST, forgottenBefore: DATE, live: ANY_OBJECT }),
    indexes: [
      // Recovery looks for invitations whose payment is under way; few heads have one.
      {
        key: { 'settling.since': 1 },
        name: 'settling',
        partialFilterExpression: { 'settling.since': { $exists: true } },
      },
      { key: { 'holds.to': 1 }, name: 'ended_holds' },
    ],
  },
  pairs: {
    schema: documentOf({
      _id: matching('^[0-9a-f]{24}:[0-9a-f]{24}$'),
      blockedBy: LIST,
      blockNumber: COUNT,
      open: ANY_OBJECT,
      openCount: COUNT,
      day: TEXT,
      asked: ANY_OBJECT,
    }),
    indexes: [{ key: { day: 1 }, name: 'by_day' }],
  },
  calendars: {
    schema: documentOf({
      _id: matching('^[1-9][0-9]*:[0-9a-f]{24}:(seller|buyer):[0-9]{4,}-[0-9]{2}$'),
      generation: NUMBER,
      userId: ID,
      as: oneOf('seller', 'buyer'),
      month: TEXT,
      items: LIST,
    }),
  },
  projections: PROJECTIONS,
  quotas: QUOTAS,
})

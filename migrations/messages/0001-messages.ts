import { makes } from '../../platform/migrations/migration.js'
import {
  ANY_OBJECT,
  COUNT,
  DATE,
  documentOf,
  FLAG,
  ID,
  LIST,
  listOf,
  logOf,
  matching,
  NUMBER,
  objectOf,
  oneOf,
  PROJECTIONS,
  QUOTAS,
  TEXT,
} from '../../platform/migrations/shapes.js'

const pairOf = (items: typeof COUNT | typeof FLAG) => listOf(items, { min: 2, max: 2 })

const conversation = objectOf({ sent: pairOf(COUNT), readUpTo: pairOf(COUNT), blocked: pairOf(FLAG) })

const message = objectOf(
  { messageId: ID, fromUserId: ID, toUserId: ID, ordinal: NUMBER },
  { text: { ...TEXT, minLength: 1 }, invitationId: ID },
)

export default makes({
  messageLog: logOf(
    {
      stream: matching('^[0-9a-f]{24}:[0-9a-f]{24}$'),
      kind: oneOf('message_sent', 'message_delivered', 'message_read', 'user_blocked', 'user_unblocked'),
      by: ID,
      conversation,
    },
    { message, unread: COUNT },
  ),
  messageBoxes: {
    schema: documentOf(
      {
        _id: matching('^[1-9][0-9]*:[0-9a-f]{24}:[0-9a-f]{24}(:[0-9]+)?$'),
        generation: NUMBER,
        kind: oneOf('conversation', 'page'),
        userId: ID,
        withUserId: ID,
      },
      {
        messages: COUNT,
        unread: COUNT,
        readByOther: COUNT,
        readByUser: COUNT,
        blocked: FLAG,
        lastMessage: ANY_OBJECT,
        lastAt: DATE,
        page: COUNT,
        items: LIST,
      },
    ),
    indexes: [
      {
        key: { generation: 1, userId: 1, lastAt: -1, withUserId: -1 },
        name: 'conversations',
        partialFilterExpression: { kind: 'conversation' },
      },
    ],
  },
  projections: PROJECTIONS,
  quotas: QUOTAS,
})

import { makes } from '../../platform/migrations/migration.js'
import {
  BY_AGE,
  COUNT,
  DATE,
  documentOf,
  FLAG,
  ID,
  LIST,
  objectOf,
  QUOTAS,
  REQUEST,
  TEXT,
} from '../../platform/migrations/shapes.js'

export default makes({
  lobbies: {
    schema: documentOf({
      trainId: ID,
      deleted: FLAG,
      removed: LIST,
      announced: objectOf({ count: COUNT, userIds: LIST }),
      request: REQUEST,
      createdAt: DATE,
    }),
    indexes: [BY_AGE, { key: { trainId: 1, createdAt: 1, _id: 1 }, name: 'by_train_and_age' }],
  },
  lobbyPresence: {
    schema: documentOf({ _id: TEXT, lobbyId: ID, userIds: LIST, until: DATE }),
    indexes: [
      { key: { lobbyId: 1 }, name: 'by_lobby' },
      { key: { until: 1 }, name: 'by_end' },
    ],
  },
  quotas: QUOTAS,
})

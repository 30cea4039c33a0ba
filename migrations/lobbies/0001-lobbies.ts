import { clearValidator, dropIndex, setValidator, type Migration } from '../../platform/migrations/migration.js'

const id = { bsonType: 'objectId' }
const date = { bsonType: 'date' }
const text = { bsonType: 'string' }
const list = { bsonType: 'array' }

const lobby = {
  bsonType: 'object',
  required: ['trainId', 'deleted', 'removed', 'announced', 'request', 'createdAt'],
  properties: {
    _id: id,
    trainId: id,
    deleted: { bsonType: 'bool' },
    removed: list,
    announced: {
      bsonType: 'object',
      required: ['count', 'userIds'],
      properties: { count: { bsonType: ['int', 'long'], minimum: 0 }, userIds: list },
    },
    request: { bsonType: 'object', required: ['by', 'hash'], properties: { by: text, hash: text } },
    createdAt: date,
  },
}

const presence = {
  bsonType: 'object',
  required: ['lobbyId', 'userIds', 'until'],
  properties: { _id: text, lobbyId: id, userIds: list, until: date },
}

export default {
  async up(db) {
    await setValidator(db, 'lobbies', lobby)
    await db.collection('lobbies').createIndexes([
      { key: { createdAt: 1, _id: 1 }, name: 'by_age' },
      { key: { trainId: 1, createdAt: 1, _id: 1 }, name: 'by_train_and_age' },
    ])
    await setValidator(db, 'lobbyPresence', presence)
    await db.collection('lobbyPresence').createIndexes([
      { key: { lobbyId: 1 }, name: 'by_lobby' },
      { key: { until: 1 }, name: 'by_end' },
    ])
  },
  async down(db) {
    for (const name of ['by_age', 'by_train_and_age']) await dropIndex(db, 'lobbies', name)
    for (const name of ['by_lobby', 'by_end']) await dropIndex(db, 'lobbyPresence', name)
    await clearValidator(db, 'lobbies')
    await clearValidator(db, 'lobbyPresence')
  },
} satisfies Migration

import { makes } from '../../platform/migrations/migration.js'
import { ANY_OBJECT, DATE, documentOf, listOf, NUMBER, objectOf, TEXT } from '../../platform/migrations/shapes.js'

export default makes({
  feedEntries: {
    schema: documentOf(
      { feed: TEXT, seq: NUMBER, key: TEXT, name: TEXT, data: ANY_OBJECT, at: DATE },
      { also: listOf(objectOf({ feed: TEXT, seq: NUMBER })), ends: objectOf({}, { userId: TEXT }) },
    ),
    indexes: [
      // Two appenders that want the same number: one of them fails at its insert. Also what a feed is read by.
      { key: { feed: 1, seq: 1 }, name: 'one_entry_per_number', unique: true },
      // The same news appended twice stands once.
      { key: { feed: 1, key: 1 }, name: 'one_entry_per_key', unique: true },
      { key: { at: 1 }, name: 'by_age' },
    ],
  },
})

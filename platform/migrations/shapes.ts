/**
 * What the validators of migrations are made of, and the collections that several domains have alike. Frozen, as
 * migrations are: what is applied must not change, so a later change of one of these has another name.
 */

interface Shape {
  bsonType?: string | readonly string[]
  enum?: readonly string[]
  [rule: string]: unknown
}
export type Shapes = Record<string, Shape>

/** A collection as its migration makes it. */
export interface CollectionMade {
  /** What no write leaves otherwise. Left out: somebody else writes there too, and checks. */
  schema?: Shape
  indexes?: readonly IndexMade[]
}

export interface IndexMade {
  key: Record<string, 1 | -1>
  name: string
  unique?: boolean
  partialFilterExpression?: object
  /** Of a date: MongoDB drops documents so long after it. */
  expireAfterSeconds?: number
}

export const ID = { bsonType: 'objectId' }
export const DATE = { bsonType: 'date' }
export const TEXT = { bsonType: 'string' }
export const FLAG = { bsonType: 'bool' }
export const COUNT = { bsonType: ['int', 'long'], minimum: 0 }
/** What counts from 1. */
export const NUMBER = { bsonType: ['int', 'long'], minimum: 1 }
/** Money is a 64-bit integer, and a safe one in JavaScript; `bsonType: long` turns doubles and 32-bit integers away. */
export const MONEY = { bsonType: 'long', minimum: 0, maximum: 9007199254740991 }
/** Money that is spent or received. */
export const CHANGE = { bsonType: 'long' }
export const PRICE = { bsonType: 'long', minimum: 0, maximum: 1000000000000 }
/** Not its items: every write would check all of them, and such an array grows. */
export const LIST = { bsonType: 'array' }
export const ANY_OBJECT = { bsonType: 'object' }

export const oneOf = (...values: string[]): Shape => ({ enum: values })
export const matching = (pattern: string): Shape => ({ bsonType: 'string', pattern })
export const orNull = ({ bsonType }: { bsonType: string }): Shape => ({ bsonType: [bsonType, 'null'] })
export const listOf = (items: Shape, { min, max }: { min?: number; max?: number } = {}): Shape => ({
  bsonType: 'array',
  ...(min !== undefined && { minItems: min }),
  ...(max !== undefined && { maxItems: max }),
  items,
})

/** An object that has these fields, and may have the optional ones. */
export const objectOf = (fields: Shapes, optional: Shapes = {}): Shape => ({
  bsonType: 'object',
  ...(Object.keys(fields).length > 0 && { required: Object.keys(fields) }),
  properties: { ...fields, ...optional },
})

/** The same for a whole document; its `_id` is an id where the fields do not say otherwise. */
export function documentOf({ _id = ID, ...fields }: Shapes, optional: Shapes = {}): Shape {
  return objectOf(fields, { _id, ...optional })
}

/** Who sent the request that made it, and a hash of its input. */
export const REQUEST = objectOf({ by: TEXT, hash: TEXT })

/** The protocol's three places in a participant (docs/protocol.md), and where it forgets. */
export const PLACES = { bookings: LIST, pendingBookings: LIST, tombstones: LIST, forgottenBefore: DATE }

export const STATE = oneOf('INITIAL', 'PENDING', 'APPLIED', 'COMMITTED', 'CANCELLING', 'CANCELLED')
/** The filter of indexes over what is not final. */
export const OUTSTANDING = { state: { $in: ['INITIAL', 'PENDING', 'APPLIED', 'CANCELLING'] } }

/** What the protocol's engine drives. */
export const DRIVEN = {
  state: STATE,
  epoch: NUMBER,
  recoveries: COUNT,
  parked: FLAG,
  repairs: listOf(objectOf({ at: DATE, by: TEXT, from: STATE, why: TEXT })),
  requestId: TEXT,
  createdAt: DATE,
  lastModified: DATE,
}
export const MAYBE_DRIVEN = { reason: TEXT, reverses: ID, originalCreatedAt: DATE }

/** Of `createdAt`, which never changes: whatever is driven enters and leaves it once, instead of moving at every step. */
export const RECOVERY: IndexMade = { key: { createdAt: 1 }, name: 'recovery', partialFilterExpression: OUTSTANDING }

/** Lists, oldest first. */
export const BY_AGE: IndexMade = { key: { createdAt: 1, _id: 1 }, name: 'by_age' }
export const NEWEST_FIRST: IndexMade = { key: { createdAt: -1, _id: -1 }, name: 'by_age' }

/** Things to book that live in the domain of bookings: what all kinds have, beside a kind's own fields. */
export const thingOf = (fields: Shapes): CollectionMade => ({
  schema: documentOf({
    ...fields,
    retired: FLAG,
    ...PLACES,
    version: COUNT,
    request: REQUEST,
    createdAt: DATE,
    updatedAt: DATE,
  }),
  indexes: [BY_AGE],
})

/** `events` of a domain that emits events with its transactions; domains that share a database share it. */
export const EVENTS: CollectionMade = {
  schema: documentOf(
    {
      type: TEXT,
      aggregate: objectOf({ type: TEXT, id: ID }),
      version: COUNT,
      payload: TEXT,
      isLocked: FLAG,
      failures: listOf(objectOf({ at: DATE, subscriber: TEXT, code: TEXT, message: TEXT })),
      createdAt: DATE,
    },
    { deliveredTo: listOf(TEXT), retryAt: DATE, deadAt: DATE, alertAt: DATE },
  ),
  indexes: [
    // The order of delivery, and the rule that an owner emits each version once.
    { key: { 'aggregate.type': 1, 'aggregate.id': 1, version: 1 }, name: 'by_aggregate', unique: true },
    // Only what failed is in these: an event that is delivered at once never touches them.
    { key: { retryAt: 1 }, name: 'retry', partialFilterExpression: { retryAt: { $exists: true } } },
    { key: { createdAt: -1, _id: -1 }, name: 'dead', partialFilterExpression: { deadAt: { $exists: true } } },
    { key: { alertAt: 1 }, name: 'alert', partialFilterExpression: { alertAt: { $exists: true } } },
  ],
}

/** An append-only log, whose entries have these fields beside those of all logs. */
export const logOf = (fields: Shapes, optional: Shapes): CollectionMade => ({
  schema: documentOf(
    { _id: { bsonType: 'long', minimum: 1 }, number: NUMBER, requestId: TEXT, at: DATE, ...fields },
    { key: TEXT, request: REQUEST, ...optional },
  ),
  indexes: [
    // With `_id` these two are the log's compare-and-set: of two entries that would follow the same one, one is refused.
    { key: { stream: 1, number: 1 }, name: 'one_entry_per_number', unique: true },
    { key: { key: 1 }, name: 'one_entry_per_key', unique: true, partialFilterExpression: { key: { $exists: true } } },
  ],
})

/** `projections` of a domain that builds views from its logs; domains that share a database share it. */
export const PROJECTIONS: CollectionMade = {
  schema: documentOf(
    {
      _id: TEXT,
      generation: NUMBER,
      offsets: { bsonType: 'array', minItems: 16, maxItems: 16 },
      version: NUMBER,
      at: DATE,
    },
    { halts: LIST },
  ),
}

/** `quotas` of a domain whose operations store something for users; domains that share a database share it. */
export const QUOTAS: CollectionMade = {
  schema: documentOf({
    _id: TEXT,
    day: TEXT,
    count: COUNT,
    bytes: COUNT,
    ids: LIST,
    earlierIds: LIST,
    expiresAt: DATE,
  }),
  indexes: [{ key: { expiresAt: 1 }, name: 'expiry', expireAfterSeconds: 0 }],
}

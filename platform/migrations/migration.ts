import type mongoose from 'mongoose'

type Db = mongoose.mongo.Db

/**
 * One change of the indexes or the validators of a domain's database: the default export of
 * `migrations/<domain>/<number>-<words>.ts`.
 *
 * Each half must be safe to run again, also on a database where an earlier run of it was cut short. A migration is
 * frozen once applied (its checksum is recorded), so it imports nothing but this file: a constant shared with living
 * code would change under it. `down` takes away what `up` made and never data.
 */
export interface Migration {
  up(db: Db): Promise<void>
  down(db: Db): Promise<void>
}

const NAMESPACE_EXISTS = 48
const NAMESPACE_NOT_FOUND = 26
const INDEX_NOT_FOUND = 27

/** Makes the collection where it is missing. From now on no write leaves a document that breaks the schema. */
export async function setValidator(db: Db, collection: string, $jsonSchema: object): Promise<void> {
  const rules = { validator: { $jsonSchema }, validationLevel: 'strict', validationAction: 'error' }
  try {
    await db.command({ create: collection, ...rules })
  } catch (error) {
    if ((error as { code?: unknown }).code !== NAMESPACE_EXISTS) throw error
    await db.command({ collMod: collection, ...rules })
  }
}

interface Sorts {
  validator?: { $jsonSchema?: { oneOf?: { required: string[] }[] } }
}

/** The validator's `oneOf` lists of which sorts a document may be, each by the fields that it must have. One more of them. */
export const permitSort = (db: Db, collection: string, required: string[]): Promise<void> =>
  changeSorts(db, collection, (sorts) => [...sorts.filter((each) => !isSort(each, required)), { required }])

export const forbidSort = (db: Db, collection: string, required: string[]): Promise<void> =>
  changeSorts(db, collection, (sorts) => sorts.filter((each) => !isSort(each, required)))

const isSort = (sort: { required: string[] }, required: string[]): boolean => sort.required.join() === required.join()

async function changeSorts(
  db: Db,
  collection: string,
  change: (sorts: { required: string[] }[]) => { required: string[] }[],
): Promise<void> {
  const [found] = await db.listCollections({ name: collection }).toArray()
  const schema = (found as { options?: Sorts } | undefined)?.options?.validator?.$jsonSchema
  if (schema?.oneOf) await setValidator(db, collection, { ...schema, oneOf: change(schema.oneOf) })
}

export const clearValidator = (db: Db, collection: string): Promise<unknown> =>
  unless([NAMESPACE_NOT_FOUND], db.command({ collMod: collection, validator: {} }))

export async function dropIndex(db: Db, collection: string, name: string): Promise<void> {
  await unless([INDEX_NOT_FOUND, NAMESPACE_NOT_FOUND], db.collection(collection).dropIndex(name))
}

const EVENT_ID = { bsonType: 'objectId' }
const EVENT_TEXT = { bsonType: 'string' }
const EVENT_DATE = { bsonType: 'date' }

/**
 * The collection `events` of a domain that emits events with its transactions, the same for all such domains; those that
 * share a database share it. Frozen, as migrations are: a later change of it is another function.
 */
export async function createEvents(db: Db): Promise<void> {
  await setValidator(db, 'events', {
    bsonType: 'object',
    required: ['type', 'aggregate', 'version', 'payload', 'isLocked', 'failures', 'createdAt'],
    properties: {
      _id: EVENT_ID,
      type: EVENT_TEXT,
      aggregate: { bsonType: 'object', required: ['type', 'id'], properties: { type: EVENT_TEXT, id: EVENT_ID } },
      version: { bsonType: ['int', 'long'], minimum: 0 },
      payload: EVENT_TEXT,
      isLocked: { bsonType: 'bool' },
      failures: {
        bsonType: 'array',
        items: {
          bsonType: 'object',
          required: ['at', 'subscriber', 'code', 'message'],
          properties: { at: EVENT_DATE, subscriber: EVENT_TEXT, code: EVENT_TEXT, message: EVENT_TEXT },
        },
      },
      createdAt: EVENT_DATE,
      deliveredTo: { bsonType: 'array', items: EVENT_TEXT },
      retryAt: EVENT_DATE,
      deadAt: EVENT_DATE,
      alertAt: EVENT_DATE,
    },
  })
  await db.collection('events').createIndexes([
    // The order of delivery, and the rule that an owner emits each version once.
    { key: { 'aggregate.type': 1, 'aggregate.id': 1, version: 1 }, name: 'by_aggregate', unique: true },
    // Only what failed is in these: an event that is delivered at once never touches them.
    { key: { retryAt: 1 }, name: 'retry', partialFilterExpression: { retryAt: { $exists: true } } },
    { key: { createdAt: -1, _id: -1 }, name: 'dead', partialFilterExpression: { deadAt: { $exists: true } } },
    { key: { alertAt: 1 }, name: 'alert', partialFilterExpression: { alertAt: { $exists: true } } },
  ])
}

export async function dropEvents(db: Db): Promise<void> {
  for (const name of ['by_aggregate', 'retry', 'dead', 'alert']) await dropIndex(db, 'events', name)
  await clearValidator(db, 'events')
}

/** Done before is done. */
async function unless(codes: readonly number[], work: Promise<unknown>): Promise<void> {
  try {
    await work
  } catch (error) {
    if (!codes.includes((error as { code?: number }).code as number)) throw error
  }
}

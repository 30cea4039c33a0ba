import type mongoose from 'mongoose'
import type { CollectionMade, Shapes } from './shapes.js'

type Db = mongoose.mongo.Db

/**
 * One change of the indexes or the validators of a domain's database: the default export of
 * `migrations/<domain>/<number>-<words>.ts`.
 *
 * Each half must be safe to run again, also on a database where an earlier run of it was cut short. A migration is
 * frozen once applied (its checksum is recorded), so it imports nothing but this file and shapes.ts: a constant shared
 * with living code would change under it. `down` takes away what `up` made and never data.
 */
export interface Migration {
  up(db: Db): Promise<void>
  down(db: Db): Promise<void>
}

const NAMESPACE_EXISTS = 48
const NAMESPACE_NOT_FOUND = 26
const INDEX_NOT_FOUND = 27

/** Makes these collections, each with its validator and its indexes. */
export const makes = (collections: Record<string, CollectionMade>): Migration => ({
  async up(db) {
    for (const [name, { schema, indexes = [] }] of Object.entries(collections)) {
      if (schema) await setValidator(db, name, schema)
      if (indexes.length > 0) await db.collection(name).createIndexes([...indexes])
    }
  },
  async down(db) {
    for (const [name, { schema, indexes = [] }] of Object.entries(collections)) {
      for (const index of indexes) await dropIndex(db, name, index.name)
      if (schema) await clearValidator(db, name)
    }
  },
})

/**
 * The `oneOf` of the collection's validator lists of which sorts a document may be, each by the fields that it must
 * have. One more of them.
 */
export function permits(collection: string, fields: Shapes): Migration {
  const sort = sortOf(fields)
  const isOther = (each: Sort): boolean => each.required.join() !== sort.required.join()
  return {
    up: (db) => changeSorts(db, collection, (sorts) => [...sorts.filter(isOther), sort]),
    down: (db) => changeSorts(db, collection, (sorts) => sorts.filter(isOther)),
  }
}

interface Sort {
  required: string[]
  properties: Shapes
}
export const sortOf = (fields: Shapes): Sort => ({ required: Object.keys(fields), properties: fields })

async function changeSorts(db: Db, collection: string, change: (sorts: Sort[]) => Sort[]): Promise<void> {
  const [found] = await db.listCollections({ name: collection }).toArray()
  const { options } = (found ?? {}) as { options?: { validator?: { $jsonSchema?: { oneOf?: Sort[] } } } }
  const schema = options?.validator?.$jsonSchema
  if (schema?.oneOf) await setValidator(db, collection, { ...schema, oneOf: change(schema.oneOf) })
}

/** One after the other; undone in the opposite order. */
export const inOrder = (...migrations: readonly Migration[]): Migration => ({
  async up(db) {
    for (const each of migrations) await each.up(db)
  },
  async down(db) {
    for (const each of migrations.toReversed()) await each.down(db)
  },
})

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

export const clearValidator = (db: Db, collection: string): Promise<unknown> =>
  unless([NAMESPACE_NOT_FOUND], db.command({ collMod: collection, validator: {} }))

export async function dropIndex(db: Db, collection: string, name: string): Promise<void> {
  await unless([INDEX_NOT_FOUND, NAMESPACE_NOT_FOUND], db.collection(collection).dropIndex(name))
}

/** Done before is done. */
async function unless(codes: readonly number[], work: Promise<unknown>): Promise<void> {
  try {
    await work
  } catch (error) {
    if (!codes.includes((error as { code?: number }).code as number)) throw error
  }
}

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

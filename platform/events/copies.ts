import mongoose, { type Model } from 'mongoose'
import { DUPLICATE_KEY } from '../database/bulkErrors.js'
import { Refusal } from '../contract/errors.js'
import type { DomainEvent } from './events.js'

/**
 * Copies that a domain keeps of another domain's entities, under the same ids. A copy's `version` says which event of
 * its owner it has seen last, and is taken from the event itself, so nothing rests on how the owner counts.
 */
interface Copy {
  version: number
}

export interface CopyOptions {
  /** The event is the entity's first: where there is no copy yet, this makes it. */
  creates?: boolean
  /** The copy's change then belongs to this transaction. */
  session?: mongoose.mongo.ClientSession
}

/**
 * Brings a copy from `version - 1` to the event's version by setting these fields, which are stored as they are (money
 * as long(n)). `older`: the copy has seen this event
 * or a later one; nothing was done, and nothing else that the event asks for is due. Throws `out_of_order` where events
 * before this one are still to come: the dispatcher brings it again. The version is matched in the write itself, so of
 * two deliveries at once one applies.
 */
export async function applyCopy<T extends Copy>(
  model: Model<T>,
  { aggregate, version, type }: Pick<DomainEvent, 'aggregate' | 'version' | 'type'>,
  fields: object,
  { creates = false, session }: CopyOptions = {},
): Promise<'applied' | 'older'> {
  const { collection } = model
  const _id = new mongoose.Types.ObjectId(aggregate.id)
  const options = session ? { session } : {}
  const { matchedCount } = await collection.updateOne(
    { _id, version: version - 1 },
    { $set: { ...fields, version } },
    options,
  )
  if (matchedCount > 0) return 'applied'
  const seen = await collection.findOne({ _id }, { ...options, projection: { version: 1 } })
  if (seen && (seen['version'] as number) >= version) return 'older'
  if (!seen && creates && (await inserted(collection, { ...fields, _id, version }, options))) return 'applied'
  throw new Refusal('out_of_order', `${type} is version ${version}; the copy is not at ${version - 1} yet.`, {
    version: seen ? (seen['version'] as number) : null,
  })
}

/**
 * Saves an entity as its owner answered it, for a subscriber that needs a copy before its events have come. A copy that
 * is as new, or newer, stays; the events up to this version then find the copy at it and are acknowledged as older.
 */
export async function saveCopy<T extends Copy>(
  model: Model<T>,
  { id, version }: { id: string; version: number },
  fields: object,
  session?: mongoose.mongo.ClientSession,
): Promise<void> {
  const { collection } = model
  const _id = new mongoose.Types.ObjectId(id)
  const options = session ? { session } : {}
  const { matchedCount } = await collection.updateOne(
    { _id, version: { $lt: version } },
    { $set: { ...fields, version } },
    options,
  )
  if (matchedCount === 0 && !(await collection.findOne({ _id }, { ...options, projection: { _id: 1 } })))
    await inserted(collection, { ...fields, _id, version }, options)
}

/** False: another delivery made it just now. In a transaction that is a conflict, which ends it. */
async function inserted(
  collection: mongoose.mongo.Collection,
  copy: object,
  options: { session?: mongoose.mongo.ClientSession },
): Promise<boolean> {
  try {
    await collection.insertOne(copy, options)
    return true
  } catch (error) {
    if (options.session || (error as { code?: unknown }).code !== DUPLICATE_KEY) throw error
    return false
  }
}

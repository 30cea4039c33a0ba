import type { Model, Types, UpdateQuery } from 'mongoose'
import { Refusal } from '../contract/errors.js'

interface Versioned {
  _id: Types.ObjectId
  version: number
  updatedAt: Date
}

export interface VersionedUpdate<T> {
  /** What the caller has read and wants to change. */
  id: string
  version: number
  /** What must hold besides: it goes into the write's filter. */
  guard?: object
  set: object
  inc?: object
  /** Fields that are set to the time of the database's own clock. */
  stamps?: Record<string, true>
  updatedAt: Date
  projection?: object
  /** The reason why the write matched nothing, where the version is not it. Null: the entity is not there. */
  refusal(current: T | null): Refusal | undefined
  /** Where it takes more than a plain update; null where it matched nothing. */
  write?(filter: object, change: UpdateQuery<T>): Promise<T | null>
}

export const versionConflict = (entity: string, version: number): Refusal =>
  new Refusal('version_conflict', `The ${entity} is at version ${version} by now.`, { version })

/**
 * Updates an entity that is still at the version that its caller has read: one guarded write, never a look before it.
 * Answers what it has become. Throws `version_conflict` where somebody else changed it, or what `refusal` says.
 */
export async function updateVersion<T extends Versioned>(
  model: Model<T>,
  entity: string,
  { id, version, guard, set, inc, stamps, updatedAt, projection, refusal, write }: VersionedUpdate<T>,
): Promise<T> {
  const update = (filter: object, change: UpdateQuery<T>) =>
    model
      .findOneAndUpdate(filter, change, { returnDocument: 'after', ...(projection && { projection }) })
      .lean<T>()
      .exec()
  const changed = await (write ?? update)(
    { _id: new model.base.Types.ObjectId(id), version, ...guard },
    {
      $set: { ...set, updatedAt },
      $inc: { ...inc, version: 1 },
      ...(stamps && { $currentDate: stamps }),
    },
  )
  if (changed) return changed

  const current = await model.findById(id).lean<T>().exec()
  throw refusal(current) ?? versionConflict(entity, current?.version ?? version)
}

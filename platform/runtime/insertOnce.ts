import type { Model, Types } from 'mongoose'
import { DUPLICATE_KEY } from '../database/bulkErrors.js'
import { Refusal, type ErrorCode } from '../contract/errors.js'
import { isSameRequest, type RequestMark } from './requests.js'

/** An entity whose id its caller may choose. */
interface Requested {
  _id: Types.ObjectId
  request: RequestMark
}

type Entity = ErrorCode extends infer Code ? (Code extends `${infer E}_id_reused` ? E : never) : never

/**
 * Inserts an entity, or answers the one that the same request inserted before. Throws `<entity>_id_reused` where another
 * request has its id. `insert`: where it takes more than a plain insert.
 */
export async function insertOnce<T extends Requested, R>(
  model: Model<T>,
  entity: Entity,
  document: T,
  present: (stored: T) => R,
  insert: () => Promise<R> = async () => {
    await model.create(document)
    return present(document)
  },
): Promise<R> {
  try {
    return await insert()
  } catch (error) {
    if ((error as { code?: unknown }).code !== DUPLICATE_KEY) throw error
  }
  // Linearizable: the document in the way may have been inserted a moment ago and not be majority yet.
  const earlier = (await model.findById(document._id).readConcern('linearizable').lean()) as T | null
  if (!earlier || !isSameRequest(earlier.request, document.request)) {
    throw new Refusal(`${entity}_id_reused`, `The id ${document._id.toHexString()} belongs to another ${entity}.`)
  }
  return present(earlier)
}

import mongoose, { type mongo } from 'mongoose'

const { MongoBulkWriteError } = mongoose.mongo

export const DUPLICATE_KEY = 11000

/**
 * The writes of a batch that the server refused, where that is all that went wrong. Undefined: the outcome of the batch
 * is unknown. The driver dresses up whatever fails in a batch as a MongoBulkWriteError, a broken connection too, and
 * such a one lists no refused write: an empty list must never be taken for "all is well".
 */
export function refusedWrites(error: unknown): mongo.WriteError[] | undefined {
  if (!(error instanceof MongoBulkWriteError) || error.result.getWriteConcernError()) return undefined
  const refused = [error.writeErrors].flat()
  return refused.length > 0 ? refused : undefined
}

/** Runs a bulk write: the writes that the server refused, by index. Throws where the outcome of the batch is unknown. */
export async function refusalsOf(write: () => Promise<unknown>): Promise<Map<number, mongo.WriteError>> {
  try {
    await write()
    return new Map()
  } catch (error) {
    const refused = refusedWrites(error)
    if (!refused) throw error
    return new Map(refused.map((each) => [each.index, each]))
  }
}

/** Whether this single write landed. False: a unique index refused it, so somebody else was first. */
export async function unlessTaken(write: Promise<unknown>): Promise<boolean> {
  try {
    await write
    return true
  } catch (error) {
    if ((error as { code?: unknown }).code !== DUPLICATE_KEY) throw error
    return false
  }
}

import mongoose, { type Model, type QueryFilter, type Types } from 'mongoose'
import { z } from 'zod'
import { invalidInput } from './system.js'
import { id } from '../contract/types.js'

/** What pages of a list are ordered by. An index on (createdAt, _id), after the filter's equalities, serves both ways. */
interface Listed {
  _id: Types.ObjectId
  createdAt: Date
}

/** A cursor as clients see it: opaque, but nothing secret; whoever makes one up sees what the filter lets them see. */
export const encodeCursor = (position: unknown): string => Buffer.from(JSON.stringify(position)).toString('base64url')

/** The position in a cursor. Throws `invalid_input` where it is not of the shape that the list gives out. */
export function decodeCursor<T>(cursor: string, shape: z.ZodType<T>): T {
  const position = shape.safeParse(parse(cursor))
  if (!position.success) {
    throw invalidInput({ issues: [{ path: ['cursor'], message: 'must be the nextCursor of a page of this list' }] })
  }
  return position.data
}

const LATEST_MS = 8.64e15
const position = z.tuple([z.int().min(-LATEST_MS).max(LATEST_MS), id])

/** An eighth of what a message between processes holds, and a sixteenth of a second to write and read it. */
const MAX_PAGE_BYTES = 1_000_000

/**
 * Room for the items of a page: answers of each, in order, whether it still fits, by number and by the JSON that it
 * becomes. The first always does, so that a list goes on whatever stands in it.
 */
export function pageRoom(limit = Infinity): (item: unknown) => boolean {
  let count = 0
  let bytes = 0
  return (item) => {
    bytes += Buffer.byteLength(JSON.stringify(item))
    return ++count <= limit && (count === 1 || bytes <= MAX_PAGE_BYTES)
  }
}

/** Those items, from the first one on, that fit into a page. */
export function withinPage<T>(items: readonly T[], limit?: number): T[] {
  const fits = pageRoom(limit)
  const end = items.findIndex((item) => !fits(item))
  return end < 0 ? [...items] : items.slice(0, end)
}

export interface PageOptions {
  projection?: Record<string, 0 | 1>
  /** Anything below majority is for whoever judges what it finds. */
  readConcern?: 'majority' | 'local'
}

/**
 * One page of the documents that match a filter, by (createdAt, _id): each page is one bounded index scan however deep
 * the list is, and documents inserted meanwhile shift nothing. It ends before `limit` where the documents are long.
 * `nextCursor` is null on the last page.
 */
export async function pageOf<T extends Listed>(
  model: Model<T>,
  filter: QueryFilter<T>,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
  order: 'oldestFirst' | 'newestFirst',
  { projection = {}, readConcern = 'majority' }: PageOptions = {},
): Promise<{ documents: T[]; nextCursor: string | null }> {
  const direction = order === 'oldestFirst' ? 1 : -1
  const after = cursor === undefined ? {} : beyond(cursor, direction)
  const found = model
    .find({ $and: [filter, after] } as QueryFilter<T>, projection)
    .sort({ createdAt: direction, _id: direction })
    .limit(limit + 1)
    .readConcern(readConcern)
    .lean()
    // In one message where they are short; long ones come 16 MB at a time, and most of them never.
    .cursor({ batchSize: limit + 2 }) as AsyncIterable<T>
  const documents: T[] = []
  const fits = pageRoom(limit)
  for await (const document of found) {
    if (!fits(document)) return { documents, nextCursor: cursorAfter(documents.at(-1) as T) }
    documents.push(document)
  }
  return { documents, nextCursor: null }
}

/** Where a page that ends with this document goes on. */
export const cursorAfter = ({ createdAt, _id }: Listed): string =>
  encodeCursor([createdAt.getTime(), _id.toHexString()])

/** An inclusive bound on createdAt narrows the index scan; the `$or` then drops what shares its millisecond. */
function beyond(cursor: string, direction: 1 | -1): object {
  const [createdAtMs, hex] = decodeCursor(cursor, position)
  const createdAt = new Date(createdAtMs)
  const _id = new mongoose.Types.ObjectId(hex)
  return direction === 1
    ? { createdAt: { $gte: createdAt }, $or: [{ createdAt: { $gt: createdAt } }, { _id: { $gt: _id } }] }
    : { createdAt: { $lte: createdAt }, $or: [{ createdAt: { $lt: createdAt } }, { _id: { $lt: _id } }] }
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString())
  } catch {
    return undefined
  }
}

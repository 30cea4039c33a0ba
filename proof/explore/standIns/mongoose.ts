import mongoose from 'mongoose'
import { Unknown } from '../../../protocol/store.js'
import { plain, type Document } from '../documents.js'
import type { Tools } from '../executor.js'
import type { CollectionName, Operation } from '../snapshot.js'

/** What handlers use of mongoose, over the explorer's collections. Anything else of it is not there, and fails. */

const MOST = 100

type Filter = Record<string, unknown> & { _id: Document['_id'] }
type Change = Record<string, Record<string, unknown>>
type Durability = Extract<Operation, { kind: 'read' }>['durability']

interface Reading {
  readConcern(level: 'linearizable'): Reading
  orFail(): Reading
  lean(): Promise<Document | null>
}
interface Listing {
  sort(): Listing
  limit(most: number): Listing
  lean(): Promise<Document[]>
}

/** Guarded updates answer the document after them; a write of unknown outcome is an error of the driver's. */
export function modelOver(tools: Tools, collection: CollectionName) {
  const ask = <R>(operation: Operation) => tools.ask<R>(operation).catch(asDriver)
  const read = (id: Document['_id'] | string, durability: Durability): Reading => ({
    readConcern: (level: 'linearizable') => read(id, level),
    orFail: () => read(id, durability),
    lean: () => ask({ kind: 'read', collection, id: new mongoose.Types.ObjectId(id), durability }),
  })
  const find = (filter: Record<string, unknown>, limit: number): Promise<Document[]> =>
    ask({ kind: 'find', collection, filter: plain(filter), limit })
  const take = ({ _id, ...guard }: Filter, change: Change) =>
    ask<Document | null>({ kind: 'take', collection, id: _id, guard: plain(guard), change: plain(change) })
  const listed = (filter: Record<string, unknown>, limit = MOST): Listing => ({
    sort: () => listed(filter, limit),
    limit: (most: number) => listed(filter, most),
    lean: () => find(filter, limit),
  })
  return {
    findById: (id: string | Document['_id']) => read(id, 'majority'),
    findOne: (filter: Record<string, unknown>) => ({
      lean: () => find(filter, 1).then(([first = null]) => first),
    }),
    find: (filter: Record<string, unknown>) => listed(filter),
    findOneAndUpdate: (filter: Filter, change: Change) => ({ lean: () => take(filter, change) }),
    updateOne: async (filter: Filter, change: Change) => ({ matchedCount: (await take(filter, change)) ? 1 : 0 }),
  }
}

/** A transaction here has one write and its events, and nothing is decided by events: they are left out. */
export const DATABASES = {
  connection: () => ({
    transaction: (work: (session: object) => Promise<unknown>) => work({}),
    collection: () => ({ insertMany: () => Promise.resolve() }),
  }),
}

/** What a driver makes of an unknown outcome. */
export function asDriver(error: unknown): never {
  if (!(error instanceof Unknown)) throw error
  throw new mongoose.mongo.MongoNetworkError('connection closed')
}

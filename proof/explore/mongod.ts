import mongoose, { type Collection, type Connection } from 'mongoose'
import type { BookingDocument } from '../../functions/bookings/booking.model.js'
import { long } from '../../platform/database/long.js'
import { mongoStore } from '../../protocol/mongoStore.js'
import type { Store } from '../../protocol/store.js'
import { plain, type Document } from './documents.js'
import { PROJECTIONS } from './explore.js'
import { byCollection, type CollectionName, type Operation, type Rules, type Snapshot } from './snapshot.js'
import type { Theatre } from './theatre.js'

const TIMEOUT_MS = 30_000

/** The product asks for the oldest first; which of those made at one moment comes first is open, so it is fixed here. */
const oldestFirst = (found: Document[]): Document[] =>
  found.toSorted((a, b) => Number(a['createdAt']) - Number(b['createdAt']) || (String(a._id) < String(b._id) ? -1 : 1))

/** So many databases, to run schedules of a theatre side by side. */
export const connectMany = (
  count: number,
  uri: (database: string) => string,
  rules: Rules,
  theatre: Theatre,
): Promise<OnMongod[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => OnMongod.connect(uri(`explore-${i}`), rules, theatre)))

/** The product's stores on a real mongod, taking operations as data. One database of its own. */
export class OnMongod {
  private readonly stores: Record<CollectionName, Store<Document>>
  private readonly collections: Record<CollectionName, Collection>

  private constructor(
    private readonly connection: Connection,
    private readonly names: readonly CollectionName[],
  ) {
    this.collections = byCollection((name) => connection.collection(name))
    this.stores = {
      ...byCollection((name) => mongoStore<Document>(this.collections[name], { timeoutMs: TIMEOUT_MS })),
      bookings: mongoStore<Document>(this.collections.bookings, { encode: encodeBooking, timeoutMs: TIMEOUT_MS }),
      cars: this.participant('cars'),
      rooms: this.participant('rooms'),
      users: this.participant('users'),
    }
  }

  /** Connected as the product connects, with the indexes of the migrations that can refuse a write. */
  static async connect(uri: string, rules: Rules, theatre: Theatre): Promise<OnMongod> {
    const connection = await mongoose
      .createConnection(uri, {
        retryWrites: false,
        w: 'majority',
        readConcernLevel: 'majority',
        ignoreUndefined: true,
        maxPoolSize: 4,
      })
      .asPromise()
    const names = theatre.replicaSets.flat()
    for (const name of names) {
      await connection.createCollection(name)
      for (const { fields, where } of rules[name].unique) {
        const key = Object.fromEntries(fields.map((field) => [field, 1 as const]))
        const partial = Object.keys(where).length > 0 && { partialFilterExpression: where }
        await connection.collection(name).createIndex(key, { unique: true, ...partial })
      }
      // What lists go by; test mongods refuse to scan.
      await connection.collection(name).createIndex({ createdAt: 1 })
    }
    return new OnMongod(connection, names)
  }

  private participant(name: keyof typeof PROJECTIONS): Store<Document> {
    const projection = Object.fromEntries(PROJECTIONS[name].map((path) => [path, 1 as const]))
    return mongoStore<Document>(this.collections[name], { projection, timeoutMs: TIMEOUT_MS })
  }

  /** Forgets everything, and puts these documents in. */
  async reset(documents: Partial<Record<CollectionName, Document[]>>): Promise<void> {
    await Promise.all(
      this.names.map(async (name) => {
        const collection = this.collections[name]
        await collection.deleteMany({})
        const fresh = (documents[name] ?? []).map((each) => ENCODE[name](each))
        if (fresh.length > 0) await collection.insertMany(fresh)
      }),
    )
  }

  /** Does one operation; when it answers, it is majority, so that what is read next does not depend on chance. */
  async perform(operation: Operation): Promise<unknown> {
    const answer = await this.ask(operation)
    if (operation.kind !== 'read' && 'durability' in operation && operation.durability === 'local') await this.settle()
    return answer
  }

  private async ask(operation: Operation): Promise<unknown> {
    const store = this.stores[operation.collection]
    switch (operation.kind) {
      case 'insert':
        return store.insert(operation.document, operation.durability)
      case 'update':
        return store.update(operation.step, operation, operation.durability)
      case 'take':
        return store.take(operation)
      case 'read':
        return store.read(operation.id, operation.durability === 'local' ? 'local' : 'majority')
      case 'find':
        return oldestFirst(await store.find(operation.filter, operation.limit))
    }
  }

  private settle(): Promise<unknown> {
    return this.connection
      .collection('settle')
      .updateOne({ _id: 'settle' as never }, { $inc: { times: 1 } }, { upsert: true, writeConcern: { w: 'majority' } })
  }

  async snapshot(): Promise<Snapshot> {
    const found = await Promise.all(
      this.names.map(async (name) => {
        const documents = await this.collections[name].find({}, { readConcern: 'majority' }).toArray()
        return documents.map((each) => [`${name}/${String(each['_id'])}`, plain(each) as unknown as Document] as const)
      }),
    )
    return new Map(found.flat())
  }

  async close(): Promise<void> {
    await this.connection.dropDatabase()
    await this.connection.destroy()
  }
}

const encodeBooking = (booking: Document): object => {
  const { cost } = booking as unknown as BookingDocument
  return { ...booking, cost: long(cost) }
}

const ENCODE: Record<CollectionName, (document: Document) => object> = {
  ...byCollection(() => (document: Document) => document),
  bookings: encodeBooking,
  users: (user) => ({ ...user, balance: long(user['balance'] as number) }),
}

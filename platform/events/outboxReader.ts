import mongoose, { type Connection } from 'mongoose'
import { EVENTS, type CarriedEvent, type StoredEvent } from './events.js'
import { eventsOf, type Outbox, type PendingEvent } from './outbox.js'
import { paced, STREAM_WAIT_MS } from '../database/pacedStream.js'

type ObjectId = mongoose.Types.ObjectId

/** Which entity's events. */
export type Aggregate = StoredEvent['aggregate']

export const keyOf = ({ type, id }: Aggregate): string => `${type} ${id.toHexString()}`

/** A document that carries its events. What they leave out is the same for all of them. */
interface Carrier {
  _id: ObjectId
  createdAt: Date
  outbox: CarriedEvent[]
}

/** What the stream tells: new events of one aggregate, in order; or that an event which had failed is due again. */
export type OutboxNews = { events: PendingEvent[] } | { again: ObjectId }

export interface OutboxReader {
  /**
   * All events, in pages that are read when they are asked for, each aggregate's in order and together as far as they lie
   * in one collection.
   */
  pages(): AsyncGenerator<PendingEvent[]>
  /** Those of a few aggregates, each one's in order. */
  of(aggregates: Aggregate[]): Promise<PendingEvent[]>
  /** From where the first read began. Ends by `close()`; rejects when the stream is lost. */
  news(): AsyncGenerator<OutboxNews>
  close(): Promise<void>
}

const PAGE = 500
/** Prefix of the index, so that a page ends where the next one begins. */
const BY_AGGREGATE = { 'aggregate.type': 1, 'aggregate.id': 1, version: 1 } as const

/**
 * Reads an outbox from a point in time on: `pages` sees what was saved up to it, `news` what came after. Both are of one
 * causally consistent session, so that nothing falls between them. Everything read is majority: what a failover could
 * take back is not delivered.
 */
export async function openOutboxReader(
  connection: Connection,
  carriers: Outbox['carriers'],
  /** Types that anybody subscribes to: of a carrier's insert, which tells the whole document, the stream tells no others. */
  subscribed: readonly string[],
): Promise<OutboxReader> {
  const db = connection.db as mongoose.mongo.Db
  const session = connection.getClient().startSession({ causalConsistency: true })
  /**
   * What the session reads from here on has all that was written before. Delivered events are removed at w:1: a majority
   * read alone may show them for as long as a journal flush takes, and they would be delivered once more.
   */
  const catchUp = () => db.command({ ping: 1 }, { session })
  await catchUp()
  const options = { session, readConcern: { level: 'majority' as const } }
  const stream = db.watch<StoredEvent>(pipeline(carriers, subscribed), {
    maxAwaitTimeMS: STREAM_WAIT_MS,
    ...(session.operationTime && { startAtOperationTime: session.operationTime }),
  })

  async function* storedPages(): AsyncGenerator<PendingEvent[]> {
    let after: StoredEvent | undefined
    for (;;) {
      await catchUp()
      let cursor = eventsOf(connection).find({}, options).hint(BY_AGGREGATE).limit(PAGE)
      if (after) {
        const { aggregate, version } = after
        cursor = cursor.min({ 'aggregate.type': aggregate.type, 'aggregate.id': aggregate.id, version: version + 1 })
      }
      const page = await cursor.toArray()
      if (page.length > 0) yield page
      if (page.length < PAGE) return
      after = page.at(-1)
    }
  }

  async function* carriedPages(type: string, collection: string): AsyncGenerator<PendingEvent[]> {
    let after: Carrier | undefined
    for (;;) {
      const beyond = after
        ? { $or: [{ createdAt: { $gt: after.createdAt } }, { createdAt: after.createdAt, _id: { $gt: after._id } }] }
        : {}
      await catchUp()
      const page = await db
        .collection<Carrier>(collection)
        .find(
          { outbox: { $exists: true }, ...beyond },
          {
            ...options,
            projection: { createdAt: 1, outbox: 1 },
          },
        )
        .sort({ createdAt: 1, _id: 1 })
        .limit(PAGE)
        .toArray()
      if (page.length > 0) yield page.flatMap((document) => eventsCarriedBy(document, type))
      if (page.length < PAGE) return
      after = page.at(-1)
    }
  }

  return {
    async *pages() {
      yield* storedPages()
      for (const [type, collection] of carriers) yield* carriedPages(type, collection)
    },
    async of(aggregates) {
      const found: PendingEvent[] = []
      await catchUp()
      for (const type of new Set(aggregates.map((each) => each.type))) {
        const ids = aggregates.filter((each) => each.type === type).map(({ id }) => id)
        const stored = eventsOf(connection).find({ 'aggregate.type': type, 'aggregate.id': { $in: ids } }, options)
        for await (const each of stored) found.push(each)
        const collection = carriers.get(type)
        if (!collection) continue
        const documents = await db
          .collection<Carrier>(collection)
          .find({ _id: { $in: ids }, outbox: { $exists: true } }, { ...options, projection: { outbox: 1 } })
          .toArray()
        for (const document of documents) for (const each of eventsCarriedBy(document, type)) found.push(each)
      }
      return found.sort((a, b) => a.version - b.version)
    },
    async *news() {
      for await (const change of paced(stream)) yield newsOf(change as unknown as StreamChange, carriers)
    },
    async close() {
      await stream.close()
      await session.endSession()
    },
  }
}

function pipeline(carriers: Outbox['carriers'], subscribed: readonly string[]): object[] {
  const collections = [...carriers.values()]
  return [
    {
      $match: {
        $or: [
          { 'ns.coll': EVENTS, operationType: 'insert' },
          { 'ns.coll': EVENTS, operationType: 'update', 'updateDescription.updatedFields.isLocked': true },
          { 'ns.coll': { $in: collections }, operationType: 'insert', 'fullDocument.outbox.type': { $in: subscribed } },
          // Whoever carries raises it.
          {
            'ns.coll': { $in: collections },
            operationType: 'update',
            'updateDescription.updatedFields.eventVersion': { $exists: true },
          },
        ],
      },
    },
  ]
}

interface StreamChange {
  operationType: 'insert' | 'update'
  ns: { coll: string }
  documentKey: { _id: ObjectId }
  fullDocument?: StoredEvent | Carrier
  updateDescription?: { updatedFields: Record<string, unknown> }
}

function newsOf(
  { ns, documentKey: { _id }, fullDocument, updateDescription }: StreamChange,
  carriers: Outbox['carriers'],
): OutboxNews {
  if (ns.coll === EVENTS) return fullDocument ? { events: [fullDocument as StoredEvent] } : { again: _id }
  const type = [...carriers].find(([, collection]) => collection === ns.coll)?.[0] as string
  const outbox = fullDocument ? (fullDocument as Carrier).outbox : pushed(updateDescription?.updatedFields ?? {})
  return { events: eventsCarriedBy({ _id, outbox }, type) }
}

/** A push is told as `outbox.1`, or as the whole array where that was missing. */
const pushed = (fields: Record<string, unknown>): CarriedEvent[] =>
  Object.entries(fields).flatMap(([path, value]) =>
    path === 'outbox' || path.startsWith('outbox.') ? ([value].flat() as CarriedEvent[]) : [],
  )

function eventsCarriedBy({ _id, outbox }: Pick<Carrier, '_id' | 'outbox'>, type: string): PendingEvent[] {
  return outbox.map(({ final = false, ...event }) => ({
    ...event,
    aggregate: { type, id: _id },
    isLocked: true,
    failures: [],
    carried: { final },
  }))
}

import mongoose, { Schema, type Model, type Types } from 'mongoose'
import type { StoredEvent } from './events.js'
import type { Outbox } from './outbox.js'
import { cursorAfter, pageOf, withinPage } from '../runtime/pages.js'

/** What the retry job, admins and the command line do with events that were not delivered. */

const AT_ONCE = 20

const schema = new Schema<StoredEvent>({}, { strict: false, versionKey: false })

export async function eventModel(outbox: Outbox): Promise<Model<StoredEvent>> {
  const connection = await outbox.connection()
  const known = connection.models['events'] as Model<StoredEvent> | undefined
  return known ?? connection.model<StoredEvent>('events', schema, 'events')
}

/** When the next of those that failed is due again. */
export async function nextRetryAt(outbox: Outbox): Promise<Date | undefined> {
  const failed = (await eventModel(outbox)).collection.find<StoredEvent>(
    { retryAt: { $exists: true } },
    { projection: { retryAt: 1 }, hint: 'retry' },
  )
  return (await failed.sort({ retryAt: 1 }).limit(1).next())?.retryAt
}

/** Hands what failed and is due again back to the dispatcher. Answers how many. */
export async function retryDue(outbox: Outbox, at: Date): Promise<number> {
  const events = (await eventModel(outbox)).collection
  const due = await events.updateMany({ retryAt: { $lte: at } }, { $set: { isLocked: true }, $unset: { retryAt: 1 } })
  return due.modifiedCount
}

/** Dead letters that people are to be told of. */
export async function dueAlerts(outbox: Outbox, at: Date): Promise<StoredEvent[]> {
  return (await eventModel(outbox))
    .find({ alertAt: { $lte: at } })
    .limit(AT_ONCE)
    .lean()
}

/** null: they were told. */
export async function postponeAlert(outbox: Outbox, _id: Types.ObjectId, until: Date | null): Promise<void> {
  const events = (await eventModel(outbox)).collection
  await events.updateOne(
    { _id, alertAt: { $exists: true } },
    until ? { $set: { alertAt: until } } : { $unset: { alertAt: 1 } },
  )
}

const DEAD = { deadAt: { $exists: true } }

// Indexes that only have what is counted; the planner takes them for a count only where it is told to.
export async function countDead(outbox: Outbox): Promise<{ count: number; oldestAt: Date | undefined }> {
  const model = await eventModel(outbox)
  const count = await model.countDocuments(DEAD, { hint: 'dead' })
  const oldest = count > 0 ? await model.findOne(DEAD, { deadAt: 1 }).sort({ createdAt: 1, _id: 1 }).lean() : null
  return { count, oldestAt: oldest?.deadAt }
}

export interface OutboxCounts {
  /** With the dispatcher. */
  waiting: number
  /** Wait to be sent again. */
  failed: number
  dead: number
  /** Records that carry events. */
  carrying: number
}

export async function countEvents(outbox: Outbox): Promise<OutboxCounts> {
  const model = await eventModel(outbox)
  const [all, failed, dead, ...carrying] = await Promise.all([
    model.countDocuments(),
    model.countDocuments({ retryAt: { $exists: true } }),
    countDead(outbox),
    ...[...outbox.carriers.values()].map((collection) =>
      model.db.collection(collection).countDocuments({ outbox: { $exists: true } }, { hint: 'outbox' }),
    ),
  ])
  return {
    waiting: all - failed - dead.count,
    failed,
    dead: dead.count,
    carrying: carrying.reduce((sum, each) => sum + each, 0),
  }
}

/** The oldest ones. */
export const listEvents = async (outbox: Outbox, limit: number): Promise<StoredEvent[]> =>
  (await eventModel(outbox)).find().sort({ _id: 1 }).limit(limit).lean<StoredEvent[]>()

/** One page over all databases, newest first. */
export async function listDead(
  outboxes: readonly Outbox[],
  page: { limit: number; cursor?: string | undefined },
): Promise<{ documents: StoredEvent[]; nextCursor: string | null }> {
  const pages = await Promise.all(
    outboxes.map(async (outbox) => pageOf(await eventModel(outbox), DEAD, page, 'newestFirst')),
  )
  const all = pages.flatMap(({ documents }) => documents).sort(newestFirst)
  // Behind the end of a page that goes on, the others' events are not all that there is.
  const ends = pages.flatMap(({ documents, nextCursor }) => (nextCursor === null ? [] : documents.slice(-1)))
  const [end] = ends.sort(newestFirst)
  const known = end ? all.filter((each) => newestFirst(each, end) <= 0) : all
  const documents = withinPage(known, page.limit)
  const last = documents.at(-1)
  const more = documents.length < known.length || end !== undefined
  return { documents, nextCursor: more && last ? cursorAfter(last) : null }
}

const newestFirst = (a: StoredEvent, b: StoredEvent): number =>
  b.createdAt.getTime() - a.createdAt.getTime() || (a._id.toHexString() < b._id.toHexString() ? 1 : -1)

export async function findEvent(
  outboxes: readonly Outbox[],
  eventId: string,
): Promise<{ outbox: Outbox; event: StoredEvent } | undefined> {
  for (const outbox of outboxes) {
    const event = await (await eventModel(outbox)).findById(new mongoose.Types.ObjectId(eventId)).lean<StoredEvent>()
    if (event) return { outbox, event }
  }
  return undefined
}

/** Sends a dead letter again, with all its attempts before it. False: it is not dead (any more). */
export async function redrive(outbox: Outbox, _id: Types.ObjectId): Promise<boolean> {
  const events = (await eventModel(outbox)).collection
  const { matchedCount } = await events.updateOne(
    { _id, ...DEAD },
    { $set: { isLocked: true, failures: [] }, $unset: { deadAt: 1, alertAt: 1 } },
  )
  return matchedCount > 0
}

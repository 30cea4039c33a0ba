import { createHash } from 'node:crypto'
import type { mongo, Types } from 'mongoose'
import { DUPLICATE_KEY, refusedWrites } from '../database/bulkErrors.js'
import { field, maybe, orNull } from '../database/fields.js'
import { long } from '../database/long.js'
import type { ModelDefinition } from '../database/model.js'
import { atMostEvery } from '../lib/atMostEvery.js'
import { failpoint } from '../lib/failpoints.js'
import type { System } from '../runtime/system.js'

/**
 * An append-only log in a MongoDB collection. Each entry belongs to a stream (an invitation, a pair of users) and has
 * the next number in it; each stream belongs to a user's partition. `_id` is the entry's place in the log, its `seq`:
 * the partition, and the offset in it, which counts from 1 without gaps. So whoever follows the log keeps one number a
 * partition and needs no clock to know that nothing is missing below it.
 *
 * Nothing but the insert decides. Two unique indexes refuse it: `_id` where somebody else took the offset (the next one
 * will do), `{stream, number}` where somebody moved the stream on since its head was read (the command must look again).
 */
export interface LogEntry {
  /** The seq. */
  _id: number
  stream: string
  /** Counts from 1 in its stream, without gaps. */
  number: number
  kind: string
  /** What this entry alone may say, whoever sends it how often: unique in the log. */
  key?: string
  /** null: the system itself. */
  by: Types.ObjectId | null
  requestId: string
  at: Date
}

/** What the models of logs list, beside the fields of their own. */
export const logFields = {
  _id: field.seq,
  stream: field.text,
  number: field.count,
  kind: field.text,
  key: maybe(field.text),
  by: orNull(field.id),
  requestId: field.text,
  at: field.date,
}

/** Part of every seq that is stored or told: must never change. */
export const PARTITIONS = 16
const OFFSETS = 2 ** 40

export const seqOf = (partition: number, offset: number): number => partition * OFFSETS + offset
export const partitionOf = (seq: number): number => Math.floor(seq / OFFSETS)
export const offsetOf = (seq: number): number => seq % OFFSETS

/** By partition, the last offset that somebody knows. */
export type Offsets = readonly number[]
export const START: Offsets = Array.from({ length: PARTITIONS }, () => 0)

/** Inside the transaction that appends: writes that stand or fall with the entry. Throws to append nothing. */
export type Alongside = (session: mongo.ClientSession) => Promise<void>

export interface AppendLog<E extends LogEntry> {
  /** The newest entry of a stream; majority. */
  head(stream: string): Promise<E | null>
  byKey(key: string): Promise<E | null>
  bySeq(seq: number): Promise<E | null>
  /** The entry of a stream with this number; majority. */
  at(stream: string, number: number): Promise<E | null>
  /**
   * Appends one entry, durable (majority) when it answers. `conflict`: the stream has an entry of that number by now,
   * or the log one with that key; nothing was written. Rejects where the outcome is unknown: appending again then ends
   * in the entry or in a conflict, never in a second entry.
   */
  append(user: string, entry: Omit<E, '_id'>, alongside?: Alongside): Promise<E | 'conflict'>
  /** Works on one stream one after the other in this process, so that neighbours that look and append don't race. */
  inTurn<R>(stream: string, work: () => Promise<R>): Promise<R>
  /** Entries after these offsets, up to `until`, each partition's in order and without gaps; majority. */
  after(offsets: Offsets, limit: number, until?: Offsets): Promise<E[]>
  /** The last offset of each partition; majority. */
  ends(): Promise<number[]>
}

const MAX_BATCH = 256

/** So often followers are told at most, so that they read many entries at once. */
const TELL_EVERY_MS = 30

/** Told to whoever follows: a log, by its collection, may have grown. */
export interface LogHint {
  grown: string
}

interface Waiting<E> {
  entry: Omit<E, '_id'>
  alongside: Alongside | undefined
  resolve: (answer: E | 'conflict') => void
  reject: (error: unknown) => void
}

/** The appends of one partition leave this process one batch after the other, so they don't race each other. */
interface Lane<E> {
  waiting: Waiting<E>[]
  busy: boolean
  /** Unknown at the start, and after a write of unknown outcome. */
  lastOffset: number | undefined
}

/** One a system and log: `ctx.use(bookingLog)`. */
export function createAppendLog<E extends LogEntry>(
  system: Pick<System, 'model' | 'tell'>,
  definition: ModelDefinition<E>,
  /** The entry as it is stored: money as 64-bit integers. */
  encode: (entry: E) => object = (entry) => entry,
): AppendLog<E> {
  const collection = system.model(definition).collection as unknown as mongo.Collection<Stored>
  type Stored = { _id: number }
  const lanes = Array.from({ length: PARTITIONS }, (): Lane<E> => ({ waiting: [], busy: false, lastOffset: undefined }))
  const tellGrown = atMostEvery(TELL_EVERY_MS, () =>
    system.tell({ grown: collection.collectionName } satisfies LogHint),
  )
  const turns = new Map<string, Promise<void>>()
  const found = (document: Stored | null): E | null => document as unknown as E | null

  async function drain(partition: number, lane: Lane<E>): Promise<void> {
    lane.busy = true
    while (lane.waiting.length > 0) {
      const batch = takeBatch(lane.waiting)
      try {
        await write(partition, lane, batch)
      } catch (error) {
        lane.lastOffset = undefined
        for (const { reject } of batch) reject(error)
      }
      // Also of what may have been written, or in part.
      tellGrown()
    }
    lane.busy = false
  }

  /** Writes a batch until each of it stands or is in conflict. */
  async function write(partition: number, lane: Lane<E>, batch: Waiting<E>[]): Promise<void> {
    for (let rest = batch; rest.length > 0;) {
      const first = (lane.lastOffset ?? (await lastOffset(partition, 'local'))) + 1
      const entries = rest.map(({ entry }, i) => ({ ...entry, _id: seqOf(partition, first + i) }) as unknown as E)
      await failpoint('append.before')
      const written = await insertInOrder(entries, rest[0]?.alongside)
      await failpoint('append.after')
      rest.slice(0, written).forEach(({ resolve }, i) => resolve(entries[i] as E))
      lane.lastOffset = first + written - 1
      rest = rest.slice(written)
      const refused = rest[0]
      if (!refused) return
      // Its offset is taken: another process appended to the partition. Otherwise it is the stream, or the key. Not by
      // majority: whatever was in the way a moment ago is there, and the insert that follows decides again.
      lane.lastOffset = await lastOffset(partition, 'local')
      if (lane.lastOffset < first + written) {
        refused.resolve('conflict')
        rest = rest.slice(1)
      }
    }
  }

  /** Answers how many stand: all before the first one that a unique index refused. */
  async function insertInOrder(entries: E[], alongside: Alongside | undefined): Promise<number> {
    const documents = entries.map((entry) => ({ ...encode(entry), _id: long(entry._id) })) as unknown as Stored[]
    try {
      if (alongside) await insertAlongside(documents[0] as Stored, alongside)
      else await collection.insertMany(documents, { ordered: true })
      return entries.length
    } catch (error) {
      if (alongside && (error as { code?: unknown }).code === DUPLICATE_KEY) return 0
      const [refused] = refusedWrites(error) ?? []
      if (alongside || refused?.code !== DUPLICATE_KEY) throw error
      return refused.index
    }
  }

  async function insertAlongside(document: Stored, alongside: Alongside): Promise<void> {
    const session = system.model(definition).collection.conn.getClient().startSession()
    try {
      await session.withTransaction(
        async () => {
          // First: where the stream has moved on, that is the answer, not what no longer holds alongside.
          await collection.insertOne(document, { session })
          await alongside(session)
        },
        { readConcern: { level: 'snapshot' }, writeConcern: { w: 'majority' } },
      )
    } finally {
      await session.endSession()
    }
  }

  async function lastOffset(partition: number, readConcern: 'local' | 'majority'): Promise<number> {
    const [last] = await collection
      .find({ _id: { $lt: seqOf(partition + 1, 0) } }, { projection: { _id: 1 }, readConcern })
      .sort({ _id: -1 })
      .limit(1)
      .toArray()
    return last && partitionOf(last._id) === partition ? offsetOf(last._id) : 0
  }

  return {
    head: async (stream) => found(await collection.findOne({ stream }, { sort: { number: -1 } })),
    byKey: async (key) => found(await collection.findOne({ key })),
    bySeq: async (seq) => found(await collection.findOne({ _id: seq })),
    at: async (stream, number) => found(await collection.findOne({ stream, number })),
    append(user, entry, alongside) {
      const partition = partitionOfUser(user)
      const lane = lanes[partition] as Lane<E>
      return new Promise((resolve, reject) => {
        lane.waiting.push({ entry, alongside, resolve, reject })
        if (!lane.busy) void drain(partition, lane)
      })
    },
    async inTurn(stream, work) {
      const before = turns.get(stream)
      const turn = (before ?? Promise.resolve()).then(work)
      const over = turn.then(
        () => {},
        () => {},
      )
      turns.set(stream, over)
      try {
        return await turn
      } finally {
        if (turns.get(stream) === over) turns.delete(stream)
      }
    },
    async after(offsets, limit, until) {
      const ranges = offsets.map((offset, partition) => ({
        _id: { $gt: seqOf(partition, offset), $lte: seqOf(partition, until?.[partition] ?? OFFSETS - 1) },
      }))
      const documents = await collection.find({ $or: ranges }).sort({ _id: 1 }).limit(limit).toArray()
      return withoutGaps(documents as unknown as E[], offsets)
    },
    ends: () => Promise.all(START.map((_, partition) => lastOffset(partition, 'majority'))),
  }
}

/** Plain entries share a batch; one that writes alongside is a transaction of its own. */
function takeBatch<E>(waiting: Waiting<E>[]): Waiting<E>[] {
  const next = waiting.findIndex(({ alongside }) => alongside)
  if (next === 0) return waiting.splice(0, 1)
  return waiting.splice(0, Math.min(next < 0 ? waiting.length : next, MAX_BATCH))
}

/** There are none; whoever follows the log must not jump over one if there ever was. */
function withoutGaps<E extends LogEntry>(entries: E[], offsets: Offsets): E[] {
  const last = [...offsets]
  return entries.filter(({ _id }) => {
    const partition = partitionOf(_id)
    if (offsetOf(_id) !== (last[partition] ?? 0) + 1) return false
    last[partition] = offsetOf(_id)
    return true
  })
}

const partitionOfUser = (user: string): number => (createHash('sha256').update(user).digest()[0] ?? 0) % PARTITIONS

/** Offsets after these entries. */
export function advanced(offsets: Offsets, entries: readonly LogEntry[]): number[] {
  const next = [...offsets]
  for (const { _id } of entries) next[partitionOf(_id)] = offsetOf(_id)
  return next
}

/** Whether everything up to a seq is within the offsets. */
export const includes = (offsets: Offsets, seq: number): boolean => (offsets[partitionOf(seq)] ?? 0) >= offsetOf(seq)

import mongoose, { type Collection } from 'mongoose'
import { DUPLICATE_KEY, refusalsOf } from '../platform/bulkErrors.js'
import { coalesce } from '../platform/coalesce.js'
import { asOne, together } from './joinedUpdates.js'
import {
  filterOf,
  Unknown,
  type Durability,
  type GuardedUpdate,
  type Id,
  type Landed,
  type Pull,
  type Store,
} from './store.js'

const { MongoServerError } = mongoose.mongo

/** Two batches of a step under way keep the journal busy; more only make the batches smaller. */
const IN_FLIGHT_PER_STEP = 2
const MAX_BATCH = 256
/** The server works a batch off on one core: two halves of a large one are done sooner than the whole. */
const MIN_BATCH = 32

/** Beside a duplicate key, the refusal that the server decides before anything is written. Every other error leaves the outcome unknown. */
const VALIDATION_FAILED = 121

/**
 * The store on MongoDB, with group commit: concurrent writes of one step go out as one unordered bulk write and share
 * its round trip and its journal flush. The server answers only how many of a batch matched; when not all did, the
 * batch is read back in the same causally consistent session, so that the read comes after the write on whatever
 * primary, and each caller decides from what was seen.
 */
export function mongoStore<T extends { _id: Id }>(
  collection: Collection,
  options: {
    /** Fields that decisions are made from, for reading back. */
    projection?: Record<string, 1>
    /** The document as it is stored: money as 64-bit integers. */
    encode?: (document: T) => object
    timeoutMs: number
  },
): Store<T> {
  const { projection, encode = (document: T) => document, timeoutMs } = options
  const lanes = new Map<string, (item: never) => Promise<never>>()

  /** The lane of a step, made when first used. */
  function lane<I, O>(key: string, run: (items: I[]) => Promise<(O | Error)[]>): (item: I) => Promise<O> {
    let known = lanes.get(key) as ((item: I) => Promise<O>) | undefined
    if (!known) {
      known = coalesce(run, {
        maxBatch: MAX_BATCH,
        minBatch: MIN_BATCH,
        maxInFlight: IN_FLIGHT_PER_STEP,
        timeoutMs,
        onTimeout: () => new Unknown(`${key}: no answer within ${timeoutMs} ms`),
      })
      lanes.set(key, known as never)
    }
    return known
  }

  async function insertMany(documents: T[], durability: Durability): Promise<('inserted' | 'duplicate' | Error)[]> {
    const errors = await bulk(() =>
      collection.insertMany(documents.map(encode), { ordered: false, ...concern(durability) }),
    )
    return documents.map((_, i) => {
      const error = errors.get(i)
      if (!error) return 'inserted'
      return error.code === DUPLICATE_KEY ? 'duplicate' : error.cause
    })
  }

  /**
   * Updates that may land together are one write, with the guards of all of them: of a document that many want at once,
   * each write costs its whole size. Where the answer is that not everything matched, each of them goes out again alone.
   * Nothing is on its way any more then, and the guard says no to what has landed already. An unknown outcome stays one.
   */
  async function updateMany(updates: GuardedUpdate[], durability: Durability): Promise<(Landed<T> | Error)[]> {
    const groups = together(updates)
    const landed = await updateEach(groups.map(asOne), durability)
    const answers = new Map<GuardedUpdate, Landed<T> | Error>()
    groups.forEach((group, i) => group.forEach((each) => answers.set(each, landed[i] as Landed<T> | Error)))
    const alone = groups.flatMap((group) => (group.length > 1 ? group : [])).filter((each) => isNo(answers.get(each)))
    if (alone.length > 0) {
      const answered = await updateEach(alone, durability).catch((error: unknown) => alone.map(() => error as Error))
      alone.forEach((each, i) => answers.set(each, answered[i] as Landed<T> | Error))
    }
    return updates.map((each) => answers.get(each) as Landed<T> | Error)
  }

  async function updateEach(updates: GuardedUpdate[], durability: Durability): Promise<(Landed<T> | Error)[]> {
    const session = collection.conn.getClient().startSession()
    try {
      let matchedCount = 0
      const errors = await bulk(async () => {
        const result = await collection.bulkWrite(
          updates.map((each) => ({ updateOne: { filter: { _id: each.id, ...filterOf(each) }, update: each.change } })),
          { ordered: false, session, ...concern(durability) },
        )
        matchedCount = result.matchedCount
      })
      if (matchedCount === updates.length) return updates.map(() => ({ matched: true }))
      const seen = await readBack(updates, durability, session)
      return updates.map(({ id }, i) => errors.get(i)?.cause ?? { matched: false, seen: seen.get(String(id)) ?? null })
    } finally {
      await session.endSession()
    }
  }

  /** All that leaves one array is one write: of a document that many want at once, each write costs its whole size. */
  async function pullMany(pulls: Pull[]): Promise<(Error | undefined)[]> {
    const keyOf = ({ id, field }: Pull): string => `${String(id)} ${field}`
    const writes = new Map<string, Pull[]>()
    for (const pull of pulls) writes.set(keyOf(pull), [...(writes.get(keyOf(pull)) ?? []), pull])
    const keys = [...writes.keys()]
    const errors = await bulk(() =>
      collection.bulkWrite(
        [...writes.values()].map((together) => {
          const { id, field } = together[0] as Pull
          const values = { $in: together.map(({ value }) => value) }
          return { updateOne: { filter: { _id: id, [field]: values }, update: { $pull: { [field]: values } } } }
        }) as never,
        { ordered: false, ...concern('local') },
      ),
    )
    return pulls.map((pull) => errors.get(keys.indexOf(keyOf(pull)))?.cause)
  }

  async function readBack(
    updates: GuardedUpdate[],
    durability: Durability,
    session: mongoose.mongo.ClientSession,
  ): Promise<Map<string, T>> {
    const documents = await knownOrThrow(() =>
      collection
        .find({ _id: { $in: updates.map(({ id }) => id) } } as never, {
          ...(projection && { projection }),
          readConcern: durability,
          session,
        })
        .toArray(),
    )
    return new Map(documents.map((document) => [String(document['_id']), document as unknown as T]))
  }

  return {
    insert: (document, durability) =>
      lane<T, 'inserted' | 'duplicate'>(`insert/${durability}`, (items) => insertMany(items, durability))(document),
    update: (name, update, durability) =>
      lane<GuardedUpdate, Landed<T>>(`${name}/${durability}`, (items) => updateMany(items, durability))(update),
    pull: (name, pull) => lane<Pull, undefined>(name, pullMany)(pull),
    take: ({ id, guard, change }) =>
      withinTime(timeoutMs, () =>
        collection.findOneAndUpdate({ _id: id, ...guard }, change, {
          returnDocument: 'after',
          ...concern('majority'),
        }),
      ) as Promise<T | null>,
    read: (id, durability) =>
      withinTime(timeoutMs, () =>
        collection.findOne({ _id: id } as never, { readConcern: durability }),
      ) as Promise<T | null>,
    find: (filter, limit) =>
      knownOrThrow(() =>
        collection.find(filter as never, { readConcern: 'majority', sort: { createdAt: 1 }, limit }).toArray(),
      ) as unknown as Promise<T[]>,
  }
}

/** Known not to have landed, or to have landed beside others that did not. */
const isNo = (answer: Landed<unknown> | Error | undefined): boolean =>
  answer instanceof Error ? !(answer instanceof Unknown) : answer?.matched === false

const concern = (durability: Durability) => ({
  writeConcern: durability === 'majority' ? { w: 'majority' as const } : { w: 1 },
})

interface Refused {
  code: number
  cause: Error
}

/** Runs a bulk write: the refusals by index, or Unknown thrown where the outcome of the batch is not known. */
async function bulk(write: () => Promise<unknown>): Promise<Map<number, Refused>> {
  const refused = await refusalsOf(write).catch((error: unknown) => {
    throw asUnknown(error)
  })
  return new Map(
    [...refused].map(([index, { code, errmsg }]) => [index, { code, cause: refusal(code, errmsg ?? 'write refused') }]),
  )
}

const refusal = (code: number, message: string): Error =>
  code === DUPLICATE_KEY || code === VALIDATION_FAILED ? new Error(`${code}: ${message}`) : new Unknown(message)

/** For single commands: what the server refused stays what it is, everything else is unknown. */
async function knownOrThrow<R>(command: () => Promise<R>): Promise<R> {
  try {
    return await command()
  } catch (error) {
    const code = error instanceof MongoServerError ? error.code : undefined
    throw code === DUPLICATE_KEY || code === VALIDATION_FAILED ? error : asUnknown(error)
  }
}

const asUnknown = (error: unknown): Unknown => new Unknown((error as Error).message, { cause: error })

async function withinTime<R>(timeoutMs: number, command: () => Promise<R>): Promise<R> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Unknown(`no answer within ${timeoutMs} ms`)), timeoutMs)
  })
  try {
    return await Promise.race([knownOrThrow(command), late])
  } finally {
    clearTimeout(timer)
  }
}

import mongoose, { type Collection } from 'mongoose'
import { DUPLICATE_KEY, refusalsOf } from '../platform/database/bulkErrors.js'
import { updateOf } from '../platform/database/updates.js'
import { coalesce } from '../platform/lib/coalesce.js'
import { isRuledOut, statementOf, statementsOf, type Statement } from './statements.js'
import { Unknown, type Durability, type GuardedUpdate, type Id, type Landed, type Pull, type Store } from './store.js'

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
  const lanes = new Map<string, unknown>()

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
      lanes.set(key, known)
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
   * Where the answer is that not everything of a statement matched, what may yet land goes out again, each alone. Nothing
   * is on its way any more then, and the guard says no to what has landed already. An unknown outcome stays one.
   */
  async function updateMany(updates: GuardedUpdate[], durability: Durability): Promise<(Landed<T> | Error)[]> {
    const statements = statementsOf(updates)
    const answers = await send(statements, durability)
    const again = statements
      .flatMap((statement) => (statement.updates.length > 1 ? statement.updates : []))
      .filter((update) => mayYetLand(update, answers.get(update) as Landed<T> | Error))
    if (again.length > 0) {
      const answered = await send(again.map(statementOf), durability).catch((error: unknown) => error as Error)
      for (const each of again) answers.set(each, answered instanceof Error ? answered : answered.get(each)!)
    }
    return updates.map((each) => answers.get(each) as Landed<T> | Error)
  }

  async function send(statements: Statement[], durability: Durability): Promise<Map<GuardedUpdate, Landed<T> | Error>> {
    const session = collection.conn.getClient().startSession()
    try {
      let matchedCount = 0
      const errors = await bulk(async () => {
        const result = await collection.bulkWrite(
          statements.map(({ write }) => write),
          {
            ordered: false,
            session,
            ...concern(durability),
          },
        )
        matchedCount = result.matchedCount
      })
      const all = statements.flatMap(({ updates }) => updates)
      if (matchedCount === statements.reduce((sum, { documents }) => sum + documents, 0))
        return new Map(all.map((each) => [each, { matched: true }]))
      const seen = await readBack(all, durability, session)
      return new Map(
        statements.flatMap(({ updates }, i) =>
          updates.map((each) => [
            each,
            errors.get(i)?.cause ?? { matched: false, seen: seen.get(String(each.id)) ?? null },
          ]),
        ),
      )
    } finally {
      await session.endSession()
    }
  }

  /** All that leave the same field are one statement. */
  async function pullMany(pulls: Pull[]): Promise<(Error | undefined)[]> {
    const fields = [...new Set(pulls.map(({ field }) => field))]
    const errors = await bulk(() =>
      collection.bulkWrite(
        fields.map((field) => {
          const ofField = pulls.filter((pull) => pull.field === field)
          const values = ofField.map(({ value }) => value)
          return {
            updateMany: {
              filter: { _id: { $in: ofField.map(({ id }) => id) }, [field]: { $in: values } },
              update: updateOf({ $pullAll: { [field]: values } }),
              hint: { _id: 1 },
            },
          }
        }),
        { ordered: false, ...concern('local') },
      ),
    )
    return pulls.map(({ field }) => errors.get(fields.indexOf(field))?.cause)
  }

  async function readBack(
    updates: GuardedUpdate[],
    durability: Durability,
    session: mongoose.mongo.ClientSession,
  ): Promise<Map<string, T>> {
    const documents = await knownOrThrow(() =>
      collection
        .find(
          { _id: { $in: updates.map(({ id }) => id) } },
          {
            ...(projection && { projection }),
            readConcern: durability,
            session,
          },
        )
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
      withinTime(timeoutMs, () => collection.findOne({ _id: id }, { readConcern: durability })) as Promise<T | null>,
    find: (filter, limit) =>
      knownOrThrow(() =>
        collection.find(filter, { readConcern: 'majority', sort: { createdAt: 1 }, limit }).toArray(),
      ) as unknown as Promise<T[]>,
  }
}

/** Not known to have landed, known not to be on its way, and nothing that was seen rules it out. */
const mayYetLand = (update: GuardedUpdate, answer: Landed<object> | Error): boolean =>
  answer instanceof Error ? !(answer instanceof Unknown) : !answer.matched && !isRuledOut(update, answer.seen)

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

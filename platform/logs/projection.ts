import mongoose, { type mongo } from 'mongoose'
import { setTimeout as sleep } from 'node:timers/promises'
import { includes, START, type AppendLog, type LogEntry, type Offsets } from './appendLog.js'
import { createBatchSize } from './batchSize.js'
import { haltsField, takeNext, type Halt, type Position } from './halts.js'
import { DUPLICATE_KEY } from '../database/bulkErrors.js'
import { Refusal } from '../contract/errors.js'
import type { Context } from '../runtime/function.js'
import { field, listOf, maybe } from '../database/fields.js'
import { long } from '../database/long.js'
import { defineModel, type ModelDefinition } from '../database/model.js'
import { failpoint } from '../lib/failpoints.js'
import type { System } from '../runtime/system.js'

/**
 * A projection builds view documents from a log. How far it has come, and the documents themselves, change in one
 * transaction, which compares and sets `version`: whoever else advanced it meanwhile (a second process, one that was
 * frozen) makes this one write nothing. So each entry is applied exactly once, however often it is read, and whatever
 * dies in between.
 *
 * A view may stand in several generations, the ids of its documents begin with theirs. Readers see the one that the
 * progress document names; a rebuild fills another one beside it (rebuild.ts).
 */
export interface Progress {
  /** The projection's name; of a generation that is being built `<name>/<generation>`. */
  _id: string
  generation: number
  /** By partition of the log: what is in the view, but for streams that are halted. */
  offsets: number[]
  halts?: Halt[]
  version: number
  /** When it last moved. */
  at: Date
}

/** What a view's documents begin with; the rest is the projection's own. */
export interface ViewDocument {
  /** `<generation>:<key>` */
  _id: string
  generation: number
}

export interface ProjectionSpec<E extends LogEntry, V extends ViewDocument> {
  /** The collection of its documents. */
  view: ModelDefinition<V>
  log(system: System): AppendLog<E>
  /** Keys of the documents that an entry may change. */
  touches(entry: E): string[]
  /**
   * Changes them. Depends on nothing but its arguments, or a rebuilt view would differ; entries of two streams may come
   * in either order, or a stream that was halted meanwhile would.
   */
  apply(views: Views<V>, entry: E): void
  /** The document as it is stored: money as 64-bit integers. */
  encode?(view: V): object
}

/** The documents that an entry touches, by key. */
export interface Views<V extends ViewDocument> {
  get(key: string): V | undefined
  set(key: string, view: Omit<V, keyof ViewDocument>): void
}

export interface Projection<E extends LogEntry = LogEntry, V extends ViewDocument = ViewDocument> {
  spec: ProjectionSpec<E, V>
  name: string
  log: AppendLog<E>
  progress(id?: string): Promise<Progress>
  /** Applies what stands next in the log (up to `until`); answers how many entries, 0 where there is nothing to do. */
  advance(options?: { id?: string; until?: Offsets }): Promise<number>
  /**
   * For readers: the generation to read, once it has everything up to `after` (a seq that a command answered). Throws
   * `view_behind` where that takes too long.
   */
  generationFor(ctx: Pick<Context, 'remainingMs'>, after: number | undefined): Promise<number>
}

interface Kept<V> {
  progress: Progress
  documents: Map<string, V>
}

const BATCH = 500
/** Documents kept between two batches of one advance after the other. */
const MAX_KEPT = 5000
/** What readers wait at most for their own write. */
const MAX_WAIT_MS = 3000
const FIRST_PAUSE_MS = 5
const LONGEST_PAUSE_MS = 50

/** Of each domain that has views. */
export const progressOf = (domain: string): ModelDefinition<Progress> => {
  const known = PROGRESS.get(domain) ?? defineModel<Progress>(domain, 'projections', progressFields)
  PROGRESS.set(domain, known)
  return known
}
const PROGRESS = new Map<string, ModelDefinition<Progress>>()
const progressFields = {
  _id: field.text,
  generation: field.count,
  offsets: listOf(field.seq),
  halts: maybe(haltsField),
  version: field.count,
  at: field.date,
}

export const FIRST_GENERATION = 1

/** The next one, where the projection is now. */
export const movedTo = ({ _id, generation, version }: Progress, { offsets, halts }: Position, at: Date): Progress => ({
  _id,
  generation,
  offsets: [...offsets],
  ...(halts.length > 0 && { halts: [...halts] }),
  version: version + 1,
  at,
})

/** As it is stored: offsets are 64-bit integers there, which the driver answers as numbers again. */
export const storedProgress = ({ offsets, ...rest }: Progress): Progress => ({
  ...rest,
  offsets: offsets.map(long) as unknown as number[],
})

export function createProjection<E extends LogEntry, V extends ViewDocument>(
  system: System,
  spec: ProjectionSpec<E, V>,
): Projection<E, V> {
  const name = spec.view.collection
  const log = spec.log(system)
  const batch = createBatchSize(BATCH)
  const encode = spec.encode ?? ((view: V) => view)
  const views = system.model(spec.view).collection as unknown as mongo.Collection<ViewDocument>
  const progresses = progressCollection(system, spec.view.domain)
  /** As this process left it; a compare-and-set that fails says that it is no more. */
  let kept: Kept<V> | undefined

  async function readProgress(id = name): Promise<Progress> {
    const found = await progresses.findOne<Progress>({ _id: id })
    // A generation that is being built begins with its progress document; without one somebody ended it.
    if (!found && id !== name) throw new Error(`${id} is not being built any more`)
    return found ?? { _id: id, generation: FIRST_GENERATION, offsets: [...START], version: 0, at: new Date(0) }
  }

  async function advance({ id = name, until }: { id?: string; until?: Offsets } = {}): Promise<number> {
    const own = kept?.progress._id === id ? kept : { progress: await readProgress(id), documents: new Map<string, V>() }
    kept = undefined
    const { progress } = own
    const { offsets, halts = [] } = progress
    const take = (entries: E[], next: Position) => takeInto(own, entries, next)
    await failpoint(`${name}.advance.before`)
    const count = await takeNext(
      { name, log, batch, now: system.now, logger: system.log, take },
      { offsets, halts },
      until,
    )
    await failpoint(`${name}.advance.after`)
    // Whoever advanced it from elsewhere left another progress.
    if (count === 0 && !kept && progress.version === (await readProgress(id)).version) kept = own
    return count
  }

  async function takeInto({ progress, documents }: Kept<V>, entries: E[], position: Position): Promise<boolean> {
    try {
      await load(progress.generation, entries, documents)
      const changed = applyAll(progress.generation, entries, documents)
      const next = movedTo(progress, position, system.now())
      if (!(await save(progress, next, changed))) return false
      if (documents.size > MAX_KEPT) documents.clear()
      kept = { progress: next, documents }
      return true
    } catch (error) {
      // Some of it may be applied in memory.
      documents.clear()
      throw error
    }
  }

  /** Read outside the transaction: whoever writes documents of a generation raises the version that save() compares. */
  async function load(generation: number, entries: E[], documents: Map<string, V>): Promise<void> {
    const missing = [...new Set(entries.flatMap(spec.touches))]
      .map((key) => idOf(generation, key))
      .filter((id) => !documents.has(id))
    for await (const view of views.find({ _id: { $in: missing } })) documents.set(view._id, view as V)
  }

  function applyAll(generation: number, entries: E[], documents: Map<string, V>): V[] {
    const changed = new Map<string, V>()
    const access: Views<V> = {
      get: (key) => documents.get(idOf(generation, key)),
      set(key, view) {
        const _id = idOf(generation, key)
        const document = { ...view, _id, generation } as unknown as V
        documents.set(_id, document)
        changed.set(_id, document)
      },
    }
    for (const entry of entries) spec.apply(access, entry)
    return [...changed.values()]
  }

  async function save(from: Progress, to: Progress, changed: V[]): Promise<boolean> {
    const session = system.databases.connection(spec.view.domain).getClient().startSession()
    try {
      return await session.withTransaction(
        async () => {
          const moved = await progresses.replaceOne({ _id: from._id, version: from.version }, storedProgress(to), {
            session,
            upsert: from.version === 0,
          })
          if (moved.matchedCount + moved.upsertedCount !== 1) return false
          if (changed.length > 0) {
            await views.bulkWrite(
              changed.map((document) => ({
                replaceOne: {
                  filter: { _id: document._id },
                  replacement: encode(document) as ViewDocument,
                  upsert: true,
                },
              })),
              { session },
            )
          }
          return true
        },
        { readConcern: { level: 'snapshot' }, writeConcern: { w: 'majority' } },
      )
    } catch (error) {
      // The first progress was inserted by somebody else.
      if (error instanceof mongoose.mongo.MongoServerError && error.code === DUPLICATE_KEY) return false
      throw error
    } finally {
      await session.endSession()
    }
  }

  async function generationFor({ remainingMs }: Pick<Context, 'remainingMs'>, after: number | undefined) {
    const giveUpAtMs = performance.now() + Math.min(MAX_WAIT_MS, remainingMs() / 2)
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      const { generation, offsets, halts } = await readProgress()
      if (after === undefined || (includes(offsets, after) && !(halts && (await isHalted(halts, after)))))
        return generation
      if (performance.now() + pauseMs > giveUpAtMs) {
        throw new Refusal('view_behind', 'The view does not show this entry of the log yet.', { after })
      }
      await sleep(pauseMs)
    }
  }

  async function isHalted(halts: readonly Halt[], seq: number): Promise<boolean> {
    const entry = await log.bySeq(seq)
    return halts.some(({ stream, number }) => entry?.stream === stream && entry.number >= number)
  }

  return { spec, name, log, progress: readProgress, advance, generationFor }
}

export const idOf = (generation: number, key: string): string => `${generation}:${key}`

/** How far whoever tells users' feeds of a log has come. */
export const feedProgress =
  (system: Pick<System, 'model' | 'now'>, { domain, collection }: { domain: string; collection: string }) =>
  async (): Promise<Progress> => {
    const _id = `${collection}.feeds`
    const found = await progressCollection(system, domain).findOne<Progress>({ _id })
    return found ?? { _id, generation: FIRST_GENERATION, offsets: [...START], version: 0, at: system.now() }
  }

export const progressCollection = (system: Pick<System, 'model'>, domain: string): mongo.Collection<Progress> =>
  system.model(progressOf(domain)).collection as unknown as mongo.Collection<Progress>

import { EJSON } from 'bson'
import type { mongo } from 'mongoose'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Halt } from './halts.js'
import { START, type LogEntry, type Offsets } from './appendLog.js'
import { progressCollection, storedProgress, type Progress, type Projection, type ViewDocument } from './projection.js'
import type { System } from '../runtime/system.js'

type Doc = mongo.BSON.Document
type AnyProjection = Projection<LogEntry, ViewDocument>
type Say = (line: string) => void

/** How long the old generation stays for readers that have just been told of it. */
const GRACE_MS = 10_000
const SAY_EVERY = 50_000
const MAX_DIFFERENCES = 20

/** How far a projection is, and its log. */
export interface ProjectionStatus {
  name: string
  generation: number
  /** Entries in the view. */
  applied: number
  /** Entries of the log that it has not got yet. */
  behind: number
  movedAt: Date
  /** Streams that it can't take. */
  halts: readonly Halt[]
  /** A generation beside it that a rebuild has begun, and how many entries that has. */
  building?: { generation: number; applied: number }
}

export async function statusOf(system: System, projection: AnyProjection): Promise<ProjectionStatus> {
  const ends = await projection.log.ends()
  const { generation, offsets, halts = [], at } = await projection.progress()
  const building = await findBuilding(system, projection)
  return {
    name: projection.name,
    generation,
    applied: sum(offsets),
    behind: sum(ends) - sum(offsets),
    movedAt: at,
    halts,
    ...(building && { building: { generation: building.generation, applied: sum(building.offsets) } }),
  }
}

/**
 * Builds the view from nothing beside the one that serves, and puts it in its place once it has everything that one
 * has: one compare-and-set, from which on readers and the running projection go on with the new one. A rebuild that was
 * cut short goes on where it was. Answers how many entries were applied.
 */
export async function rebuild(system: System, projection: AnyProjection, say: Say): Promise<number> {
  const id = await beginBuilding(system, projection)
  let applied = 0
  for (;;) {
    applied += await fill(projection, { id }, say)
    const live = await projection.progress()
    const built = await projection.progress(id)
    if (!covers(built.offsets, live.offsets)) continue
    if (!(await takeOver(system, projection, { live, built }))) continue
    say(`${projection.name}: generation ${built.generation} serves, ${applied} entries applied`)
    await sleep(GRACE_MS)
    await dropGeneration(system, projection, live.generation)
    return applied
  }
}

/**
 * The built generation serves from now on. Its own progress document goes in the same transaction: whoever else builds
 * it can't write to what serves.
 */
async function takeOver(
  system: System,
  projection: AnyProjection,
  { live, built }: { live: Progress; built: Progress },
): Promise<boolean> {
  const progresses = progressesOf(system, projection)
  const next = { ...built, _id: live._id, version: live.version + 1, at: system.now() }
  const session = system.databases.connection(projection.spec.view.domain).getClient().startSession()
  try {
    return await session.withTransaction(
      async () => {
        const { deletedCount } = await progresses.deleteOne({ _id: built._id, version: built.version }, { session })
        const { matchedCount, upsertedCount } = await progresses.replaceOne(
          { _id: live._id, version: live.version },
          storedProgress(next),
          { session, upsert: live.version === 0 },
        )
        if (deletedCount === 1 && matchedCount + upsertedCount === 1) return true
        await session.abortTransaction()
        return false
      },
      { readConcern: { level: 'snapshot' }, writeConcern: { w: 'majority' } },
    )
  } finally {
    await session.endSession()
  }
}

export interface Verification {
  equal: boolean
  documents: number
  entries: number
  /** The first few: the key of a document, and what is wrong with it. */
  differences: string[]
}

/**
 * Builds the view from nothing up to where the one that serves is, and compares them. The serving one is read as it was
 * at one moment (a snapshot, which the server keeps for 5 minutes), so that it may move on meanwhile.
 */
export async function verify(system: System, projection: AnyProjection, say: Say): Promise<Verification> {
  const id = await beginBuilding(system, projection)
  const { generation } = await projection.progress(id)
  // What takes long first; what was appended meanwhile is little.
  await fill(projection, { id, until: (await projection.progress()).offsets }, say)
  const session = system.databases.connection(projection.spec.view.domain).getClient().startSession({ snapshot: true })
  try {
    const live = await progressesOf(system, projection).findOne<Progress>(
      { _id: projection.name },
      { session, readConcern: 'snapshot' },
    )
    const until = live?.offsets ?? START
    await fill(projection, { id, until }, say)
    const views = viewsOf(system, projection)
    const found = await compare(
      views.find(ofGeneration(live?.generation ?? 0), { session, readConcern: 'snapshot', sort: { _id: 1 } }),
      views.find(ofGeneration(generation), { sort: { _id: 1 } }),
    )
    return { ...found, equal: found.differences.length === 0, entries: sum(until) }
  } finally {
    await session.endSession()
    await progressesOf(system, projection).deleteOne({ _id: id })
    await dropGeneration(system, projection, generation)
  }
}

/** The progress document of a new generation, or of one that was begun and not ended. */
async function beginBuilding(system: System, projection: AnyProjection): Promise<string> {
  const begun = await findBuilding(system, projection)
  if (begun) return begun._id
  const generation = (await projection.progress()).generation + 1
  await dropGeneration(system, projection, generation)
  const progress: Progress = {
    _id: `${projection.name}/${generation}`,
    generation,
    offsets: [...START],
    version: 1,
    at: system.now(),
  }
  await progressesOf(system, projection).insertOne(storedProgress(progress))
  return progress._id
}

const findBuilding = (system: System, projection: AnyProjection): Promise<Progress | null> =>
  progressesOf(system, projection).findOne<Progress>({ _id: { $regex: `^${projection.name}/` } })

async function fill(projection: AnyProjection, options: { id: string; until?: Offsets }, say: Say): Promise<number> {
  let applied = 0
  for (let count; (count = await projection.advance(options)) > 0; applied += count) {
    if (Math.floor((applied + count) / SAY_EVERY) > Math.floor(applied / SAY_EVERY)) {
      say(`${projection.name}: ${applied + count} entries`)
    }
  }
  return applied
}

async function compare(
  live: mongo.AbstractCursor<Doc>,
  built: mongo.AbstractCursor<Doc>,
): Promise<Pick<Verification, 'documents' | 'differences'>> {
  const differences: string[] = []
  let documents = 0
  let one = await live.next()
  let other = await built.next()
  while ((one || other) && differences.length < MAX_DIFFERENCES) {
    documents++
    const [oneKey, otherKey] = [keyOf(one), keyOf(other)]
    if (oneKey === otherKey) {
      if (content(one) !== content(other))
        differences.push(`${oneKey}: serves ${content(one)}, built ${content(other)}`)
      one = await live.next()
      other = await built.next()
    } else if (other === null || (one !== null && oneKey < otherKey)) {
      differences.push(`${oneKey}: serves, is not in the log`)
      one = await live.next()
    } else {
      differences.push(`${otherKey}: is in the log, does not serve`)
      other = await built.next()
    }
  }
  return { documents, differences }
}

const keyOf = (document: Doc | null): string => {
  const id = String(document?.['_id'] ?? '')
  return id.slice(id.indexOf(':') + 1)
}

const content = (document: Doc | null): string =>
  EJSON.stringify({ ...document, _id: undefined, generation: undefined }, { relaxed: false })

const covers = (offsets: Offsets, others: Offsets): boolean => others.every((other, i) => (offsets[i] ?? 0) >= other)

const sum = (offsets: Offsets): number => offsets.reduce((total, each) => total + each, 0)

/** `;` follows `:`. */
const ofGeneration = (generation: number) => ({ _id: { $gte: `${generation}:`, $lt: `${generation};` } })

const dropGeneration = (system: System, projection: AnyProjection, generation: number) =>
  viewsOf(system, projection).deleteMany(ofGeneration(generation))

const viewsOf = (system: System, { spec }: AnyProjection) =>
  system.model(spec.view).collection as unknown as mongo.Collection<ViewDocument>

const progressesOf = (system: System, { spec }: AnyProjection) => progressCollection(system, spec.view.domain)

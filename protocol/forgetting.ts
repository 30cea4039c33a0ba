import mongoose, { type Collection } from 'mongoose'
import { updateOf } from '../platform/database/updates.js'
import type { Context } from '../platform/runtime/function.js'
import type { Places } from './participant.js'
import { eachPage } from './retries.js'
import type { Id } from './store.js'

/**
 * Forgetting, the same for every participant (users, cars, trains, ...). A remembered id fences off the late writes of its
 * booking. Dropping it is safe only because the same update raises `forgottenBefore` above its createdAt, which every
 * apply and reversal carries in its filter (participant.ts). So:
 *
 * - Dropped is only what is final, seen with majority after the document was read: what is final never changes.
 *   Something that is not final still needs its marker, to learn that it was applied.
 * - Dropped is only what was created before the new mark. What stays in its place may be older than the mark or newer:
 *   it is still fenced by its place.
 * - The mark must not pass anything of the document that is not final: an apply that it refuses would be void, and a
 *   reversal, which cannot be refused, would never end. Such a document waits for the next sweep, also where that
 *   booking has left no trace in it yet: `waiting` asks those who keep the bookings.
 * - What begins between these looks and the update is younger than the mark, by REMEMBER_MS. Where it is not, because a
 *   process stood still or a clock is wrong by so much, the mark refuses it. That costs an answer, never money.
 * - Where records hold periods, a forgotten one holds its period no more. So only what ended before the mark is dropped,
 *   and the apply's filter wants the mark before the beginning of its own period too (`notForgotten`).
 */
const REMEMBER_MS = 24 * 3_600_000

export const forgettingMark = (ctx: Pick<Context, 'now'>): Date => new Date(ctx.now().getTime() - REMEMBER_MS)

/** What a document remembers of one sort of thing that engines drive: bookings, payments. */
export interface Memory<R extends Remembered = Remembered> {
  places: Pick<Places, 'active' | 'pending' | 'tombstones'>
  /** Which of these ids are final; with `before` also created, and where that matters over, before it. By majority. */
  settled(ids: string[], before?: Date): Promise<ReadonlySet<string>>
  /** Whether an active record of what is settled may go. Left out: any may. */
  isOver?(record: R, mark: Date): boolean
}
type Remembered = Id | { _id: Id }

export interface Forgetful<D extends { _id: Id }> {
  collection: Collection
  memories: readonly Memory<never>[]
  /** Which of these documents, by id, have something not final from before the mark, whether or not they know of it. */
  waiting(page: readonly D[], mark: Date): Promise<ReadonlySet<string>>
  /** Further ids to drop, by field. */
  alsoDrop?(document: D, mark: Date): Record<string, readonly unknown[]>
}

/** Removes pending markers of what is final; answers how many. A marker of it is garbage: nobody decides by it. */
export async function clearFinal<D extends { _id: Id }>(
  { collection, memories }: Forgetful<D>,
  page: readonly D[],
): Promise<number> {
  let cleared = 0
  for (const { places, settled } of memories) {
    const final = await settled(idsAt(page, [places.pending]))
    const garbage = page.flatMap((document) => {
      const ids = remembered(document, places.pending).map(idOf)
      const gone = ids.filter((each) => final.has(String(each)))
      return gone.length > 0 ? [{ _id: document._id, gone }] : []
    })
    if (garbage.length === 0) continue
    const writes = garbage.map(({ _id, gone }) => ({
      updateOne: { filter: { _id }, update: updateOf({ $pull: { [places.pending]: { $in: gone } } }) },
    }))
    await collection.bulkWrite(writes, { ordered: false })
    cleared += garbage.reduce((sum, { gone }) => sum + gone.length, 0)
  }
  return cleared
}

/** Drops what is final and older than the mark, in documents that have nothing older that is not; answers how many ids. */
export async function forgetOld<D extends { _id: Id }>(
  forgetful: Forgetful<D>,
  page: readonly D[],
  mark: Date,
): Promise<number> {
  const { collection, memories, alsoDrop = () => ({}) } = forgetful
  const old = await Promise.all(memories.map((memory) => memory.settled(idsIn(page, memory), mark)))
  const chosen = page
    .map((document) => ({ document, drops: dropsOf(document), more: alsoDrop(document, mark) }))
    .filter(({ drops, more }) => countOf(drops, more) > 0)
  if (chosen.length === 0) return 0
  const waiting = await forgetful.waiting(
    chosen.map(({ document }) => document),
    mark,
  )

  function dropsOf(document: D) {
    return memories.map(({ places, isOver = () => true }, i) => {
      const gone = (place: string) =>
        remembered(document, place).filter((each) => (old[i] as ReadonlySet<string>).has(String(idOf(each))))
      return {
        places,
        active: gone(places.active).filter((each) => isOver(each as never, mark)),
        pending: gone(places.pending),
        tombstones: gone(places.tombstones),
      }
    })
  }

  let forgotten = 0
  for (const { document, drops, more } of chosen) {
    if (waiting.has(String(document._id))) continue
    const $pull = {
      ...Object.assign({}, ...drops.map(pullOf)),
      ...Object.fromEntries(Object.entries(more).map(([field, ids]) => [field, { $in: ids }])),
    } as object
    const $max = { forgottenBefore: mark }
    await collection.updateOne({ _id: document._id }, { $max, $pull })
    forgotten += countOf(drops, more)
  }
  return forgotten
}

type Drops = { places: Memory['places'] } & Record<'active' | 'pending' | 'tombstones', Remembered[]>

/** Of an id that is in two places of a memory, both go, and it counts once. */
const countOf = (drops: Drops[], more: Record<string, readonly unknown[]>): number =>
  drops.reduce(
    (sum, { active, pending, tombstones }) =>
      sum + new Set([...active, ...pending, ...tombstones].map((each) => String(idOf(each)))).size,
    Object.values(more).reduce((sum, ids) => sum + ids.length, 0),
  )

const pullOf = ({ places, active, pending, tombstones }: Drops): object => ({
  ...(active.length > 0 && {
    [places.active]: isId(active[0]) ? { $in: active } : { _id: { $in: active.map(idOf) } },
  }),
  ...(pending.length > 0 && { [places.pending]: { $in: pending } }),
  ...(tombstones.length > 0 && { [places.tombstones]: { $in: tombstones } }),
})

const isId = (each: unknown): each is Id => each instanceof mongoose.Types.ObjectId
const idOf = (each: Remembered): Id => (isId(each) ? each : each._id)
const remembered = (document: object, place: string): Remembered[] =>
  (document as Record<string, Remembered[] | undefined>)[place] ?? []
const idsAt = (page: readonly object[], places: string[]): string[] => [
  ...new Set(
    page.flatMap((document) =>
      places.flatMap((place) => remembered(document, place).map((each) => String(idOf(each)))),
    ),
  ),
]

/** Every id that these documents remember in the places of a memory. */
export const idsIn = (page: readonly object[], { places }: Memory<never>): string[] =>
  idsAt(page, Object.values(places))

/** What a sweep of tidying did. */
export interface Tidied {
  cleared: number
  forgotten: number
}

/** A whole sweep: what such documents may clear and forget, a few at a time, until it is done or out of time. */
export async function tidyAll<D extends { _id: Id }>(
  ctx: Pick<Context, 'now' | 'remainingMs'>,
  forgetful: Forgetful<D>,
  untidy: AsyncIterable<D>,
): Promise<Tidied> {
  const mark = forgettingMark(ctx)
  const report = { cleared: 0, forgotten: 0 }
  await eachPage(ctx, { found: untidy, size: AT_ONCE }, async (part) => {
    report.cleared += await clearFinal(forgetful, part)
    report.forgotten += await forgetOld(forgetful, part, mark)
  })
  return report
}

const AT_ONCE = 20

/** Asks about many ids in parts that one call may carry. */
export async function inParts(ids: readonly string[], ask: (part: string[]) => Promise<string[]>) {
  const found = new Set<string>()
  for (let i = 0; i < ids.length; i += MAX_IDS_PER_CALL) {
    for (const each of await ask(ids.slice(i, i + MAX_IDS_PER_CALL))) found.add(each)
  }
  return found as ReadonlySet<string>
}

const MAX_IDS_PER_CALL = 1000

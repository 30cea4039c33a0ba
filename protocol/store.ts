import type mongoose from 'mongoose'

/**
 * What the protocol asks of a store of documents: guarded writes on one document at a time, and majority reads. Nothing
 * else is used, so that another store with the same answers can stand in (the proof explores one in memory).
 */
export interface Store<T> {
  /** `duplicate`: a unique index refused it (which one is for the caller to look up). Rejects with Unknown. */
  insert(document: T, durability: Durability): Promise<'inserted' | 'duplicate'>
  /** One guarded update. `name` is its step; concurrent updates of a step may share a round trip. Rejects with Unknown. */
  update(name: string, update: GuardedUpdate, durability: Durability): Promise<Landed<T>>
  /**
   * Takes an id out of an array, where it is in it; w:1. Concurrent ones of a step may be one write, which takes the ids of
   * all of them out of the arrays of all of them. Rejects with Unknown.
   */
  pull(name: string, pull: Pull): Promise<void>
  /** Guarded update that answers the document after it, or null where the guard did not match. Majority. */
  take(update: GuardedUpdate): Promise<T | null>
  read(id: Id, durability: Durability): Promise<T | null>
  /** Majority read of those that match, oldest first. */
  find(filter: Filter, limit: number): Promise<T[]>
}

export type Id = mongoose.Types.ObjectId
export type Filter = Record<string, unknown>
export type Change = Record<string, Record<string, unknown>>

/**
 * Of a write, majority: survives a failover; local: w:1, may be lost until a later majority write of the same document.
 * Of a read: what a majority has; what the primary has.
 */
export type Durability = 'majority' | 'local'

export interface GuardedUpdate {
  id: Id
  guard: Filter
  change: Change
  /**
   * Also a guard: no element of this array overlaps this period. Updates of one document whose periods don't overlap each
   * other may land together, or not at all, since none is in another one's way; so such a change only pushes and sets.
   */
  free?: { array: string; period: Period } | undefined
}

/** Half-open: one may begin when another ends. */
export interface Period {
  from: Date
  to: Date
}

/** The filter for an array none of whose elements overlaps any of these periods. */
export function freeOf(array: string, periods: readonly Period[]): Filter {
  const overlaps = periods.map(({ from, to }) => ({ from: { $lt: to }, to: { $gt: from } }))
  return { $nor: [{ [array]: { $elemMatch: overlaps.length === 1 ? overlaps[0] : { $or: overlaps } } }] }
}

/** All guards of an update. */
export const filterOf = ({ guard, free }: Pick<GuardedUpdate, 'guard' | 'free'>): Filter => ({
  ...guard,
  ...(free && freeOf(free.array, [free.period])),
})

export interface Pull {
  id: Id
  /** The array. */
  field: string
  value: Id
}

/**
 * `matched: true`: it landed, now, through this very write. `matched: false`: it did not, or it did beside others that
 * did not; `seen` is the document as a read issued after the write saw it (majority, or local where the write itself
 * was local), and decides.
 */
export type Landed<T> = { matched: true } | { matched: false; seen: T | null }

/**
 * The outcome of a write is unknown: it may have landed, and if not it may still land at any later time. Whatever was
 * lost says nothing (time-out, broken connection, stepped-down primary, write-concern time-out).
 */
export class Unknown extends Error {
  override readonly name = 'Unknown'
}

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
  /** Guarded update that answers the document after it, or null where the guard did not match. Majority. */
  take(update: GuardedUpdate): Promise<T | null>
  /** Majority read. */
  read(id: Id): Promise<T | null>
  /** Majority read of those that match, oldest first. */
  find(filter: Filter, limit: number): Promise<T[]>
}

export type Id = mongoose.Types.ObjectId
export type Filter = Record<string, unknown>
export type Change = Record<string, Record<string, unknown>>

/** majority: survives a failover. local: w:1, may be lost until a later majority write of the same document. */
export type Durability = 'majority' | 'local'

export interface GuardedUpdate {
  id: Id
  guard: Filter
  change: Change
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

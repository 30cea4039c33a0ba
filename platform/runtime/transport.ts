import type { Caller } from '../contract/caller.js'
import type { Result } from '../contract/errors.js'

/** One call on its way: JSON, so ids and times are strings. Signed by the transport, trusted by whoever receives it. */
export interface Envelope {
  /** `<domain>.<operation>` */
  operation: string
  input: unknown
  caller: Caller | null
  /** Where a client's request came from (`network`), for operations that count or remember it. */
  address?: string
  requestId: string
  /** What is left of the caller's deadline. A span, not a time: the clocks of two hosts may differ. */
  ttlMs: number
}

/** A process that hosts functions, as discovery knows it. */
export interface Peer {
  /** PM2 app. */
  app: string
  operations: string[]
}

/** What a process says of itself, without any contract. */
export interface PeerHealth extends Peer {
  /** By domain, for those that it has a database of: whether that answers. */
  databases: Record<string, boolean>
  /** What else it looks after, by name. */
  checks: Record<string, CheckResult>
}

export interface CheckResult {
  ok: boolean
  /** For people. */
  detail: string
}

export interface Sending {
  idempotent: boolean
  /** Calls with the same one go to the same process where they can; without one to the least busy: see the contract's `key`. */
  key?: string | undefined
  signal?: AbortSignal
}

/** Hears what processes tell. */
export interface Hearer {
  told(hint: unknown): void
  /** From here on a process more is heard; what it said before was not. */
  connected(): void
}

/** Carries calls to functions hosted by other processes. */
export interface Transport {
  /**
   * Answers the callee's result. When no responder is there it waits for one within ttlMs; then `unavailable`. When the
   * connection breaks after sending: `unavailable` at once (not sent again here, unless `idempotent`); no answer
   * within ttlMs: `deadline_exceeded`. After either the outcome is unknown. Never rejects. Once `signal` is aborted
   * nobody waits for the answer any more: a call that has not begun by then never does.
   */
  request(envelope: Envelope, options: Sending): Promise<Result<unknown>>
  /**
   * Says something, which JSON must carry, to every process that hears and is connected now. It only makes things sooner:
   * nobody waits for it, and it is lost with a connection, or where a peer reads too slowly.
   */
  tell(hint: unknown): void
  /** Hears what other processes tell, until the transport closes. Once a process. */
  hear(hearer: Hearer): void
  peers(): Peer[]
  /** What each peer says of itself; who does not answer within a second is left out. */
  health(): Promise<PeerHealth[]>
  close(): Promise<void>
}

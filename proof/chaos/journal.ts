import type { Kind } from './snapshot.js'

/** What clients were told, and how long it took. Nobody but clients writes here; at the end the books must agree. */

/** Something that must not be, wherever it was seen. */
export interface Violation {
  rule: string
  /** What it concerns: a booking, a user, ... */
  id: string
  detail: string
}

export type Report = (rule: string, id: string, detail: string) => void

/** The definite answer to a request: what it is about is COMMITTED, or refused with a code for good. */
export type Answer = { ok: true; data: Record<string, unknown> } | { ok: false; code: string }

export interface BookingClaim {
  bookingId: string
  userId: string
  kind: Kind
  thingId: string
  from: string
  to: string
  /** What it must cost, by our own arithmetic. */
  cost: number
  /** Undefined: no definite answer was had. */
  answer?: Answer
  /** Each cancelBooking that was sent; without an answer: it may or may not have been done. */
  cancels: { answer?: Answer }[]
}

export interface TransferClaim {
  id: string
  kind: 'deposit' | 'withdrawal'
  userId: string
  amount: number
  answer?: Answer
}

/** Of one operation. */
export interface Tally {
  /** Requests with an id of their own. */
  tried: number
  /** Those that were done. */
  acknowledged: number
  /** Those that were refused for good, by code. */
  refused: Record<string, number>
  /** Those without a definite answer when the run ended. */
  unsettled: number
  /** Requests sent once more on purpose, beside the first or after its answer. */
  repeated: number
  /** Messages sent, and those of them whose outcome stayed unknown (no answer, or `deadline_exceeded`). */
  sent: number
  unknown: number
  /** Answers that say "later", by code, `no_answer` among them. */
  retried: Record<string, number>
  /** How long each request took until its definite answer. */
  tookMs: number[]
}

export interface Journal {
  bookings: Map<string, BookingClaim>
  transfers: Map<string, TransferClaim>
  tallies: Record<string, Tally>
  /** What clients saw that must not be. */
  violations: Violation[]
}

export const createJournal = (): Journal => ({
  bookings: new Map(),
  transfers: new Map(),
  tallies: {},
  violations: [],
})

export const tallyOf = (journal: Journal, operation: string): Tally =>
  (journal.tallies[operation] ??= {
    tried: 0,
    acknowledged: 0,
    refused: {},
    unsettled: 0,
    repeated: 0,
    sent: 0,
    unknown: 0,
    retried: {},
    tookMs: [],
  })

export const count = (counts: Record<string, number>, key: string): number => (counts[key] = (counts[key] ?? 0) + 1)

import type { ErrorCode } from '../../../platform/contract/errors.js'
import type { News } from '../news.js'
import type { BookingRequest } from '../workload.js'

/**
 * accepted: booked, durably. refused: the answer was no. failed: anything else; the outcome may be unknown. `why` is the
 * code or the error's name.
 */
export type Outcome = { result: 'accepted' } | { result: 'refused' | 'failed'; why: string }

export const ACCEPTED: Outcome = { result: 'accepted' }

/** How a rival books, wherever it is called from. */
export interface Rival {
  /** Rejects with Refused where a rule is against it. */
  book(request: BookingRequest): Promise<void>
  close(): Promise<void>
}

/** One way of making bookings. */
export interface Arm {
  number: ArmNumber
  /** Never rejects. */
  book(request: BookingRequest): Promise<Outcome>
  /** The processes that do the work, apart from the database and the load; empty: it runs within the load's process. */
  productPids(): number[]
  /** Calls another operation as an admin. Only the product's arms can. */
  ask(operation: string, input: object): Promise<unknown>
  /** What its users' sockets hear of bookings; without it nobody is told. */
  news?: News
  /** The arm's own audit, where it has one: what is wrong with the books. */
  audit(): Promise<string[]>
  close(): Promise<void>
}

export const ARMS = {
  1: 'multi-document transaction, in process',
  2: 'two-phase commit, one write at a time, in process',
  3: 'Holdfast functions, in process',
  4: 'Holdfast as `npm start` starts it: under PM2, its default apps, users on socket.io',
  5: 'multi-document transaction behind socket.io',
  6: 'Holdfast without PM2, its functions in one app, users on socket.io',
  7: 'PostgreSQL transaction behind socket.io',
  8: 'PostgreSQL, waiting bookings in one statement together, behind socket.io',
} as const
export type ArmNumber = keyof typeof ARMS

/** Answers of the product after which nobody knows whether the booking stands. */
const UNKNOWN_OUTCOMES: ReadonlySet<ErrorCode> = new Set(['internal', 'unavailable', 'deadline_exceeded'])

/** What an error of the product's vocabulary means for a booking. */
export const outcomeOf = (code: ErrorCode): Outcome => ({
  result: UNKNOWN_OUTCOMES.has(code) ? 'failed' : 'refused',
  why: code,
})

/** For the hand-written arms. */
export const asksNothing = (operation: string): Promise<never> =>
  Promise.reject(new Error(`This arm has no ${operation}`))

/** What the product's own audit finds wrong. */
export async function violationsOf(ask: Arm['ask']): Promise<string[]> {
  const { violations } = (await ask('auditBooks', {})) as {
    violations: { rule: string; entityId: string; detail: string }[]
  }
  return violations.map(({ rule, entityId, detail }) => `${rule} ${entityId}: ${detail}`)
}

import type { Violation } from '../../../protocol/audit.js'
import type { Tidied } from '../../../protocol/forgetting.js'
import type { Participant } from '../../../protocol/participant.js'
import type { Filter } from '../../../protocol/store.js'
import type { Context } from '../../../platform/runtime/function.js'
import type { System } from '../../../platform/runtime/system.js'
import type { BookingDocument } from '../booking.model.js'
import type { BOOKING_ENDS } from '../contract.js'
import type { KindName } from './list.js'

/** What a booking is of, when it is, and what it costs. */
export type Draft<B extends BookingDocument = BookingDocument> = Omit<B, Exclude<keyof BookingDocument, Terms>>
type Terms = 'from' | 'to' | 'cost'

/**
 * How a kind of thing to book works: what `kinds/<kind>/<kind>.kind.ts`, beside its contract, makes known by `works`. The
 * things may live in this domain (cars) or in another one, behind calls (trains). From here the engine, createBooking and
 * startBooking, the presenter, reversals, the audit, tidying and announceOutcome derive what they do with it.
 */
export interface Kind<
  B extends BookingDocument = BookingDocument,
  Input = unknown,
  R extends AuditedRecord = AuditedRecord,
> {
  /** What a request asks for. Refusals from here store nothing. The cost may be too large: who asked is told. */
  draft(ctx: Context, input: Input): Promise<Draft<B>>
  /** The field of the input that makes the cost too large. */
  costsBy: string
  /** The thing votes on each of its bookings: whether it can be held. */
  participant(system: System): Participant<B>
  /**
   * Which bookings the thing holds, and has not seen decided, in the way of this one: a filter of bookings; null: none. Some
   * of them may have been decided since.
   */
  holders(system: System, booking: B): Promise<Filter | null>
  /** What has no vote and happens after the decision; it may add fields to the booking, which its last move saves. */
  afterwards?(system: System): Participant<B>
  /** The contract's refusal, in words. */
  refusalText: string
  /** The fields beyond those of all kinds, which a reversal copies. */
  fields: readonly string[]
  /** The fields that `afterwards` adds. */
  given?: readonly string[]
  /** What a booking shows beside the fields of all kinds. */
  present(booking: B): object
  /** Refuses its owner who takes a booking back too late; left out: until it begins. */
  assertCancellable?(ctx: Context, booking: B): Promise<void>
  /** What updateBooking sets; throws what it refuses. */
  change?(booking: B, set: object): object
  /** Tells others how a booking ended; delivered at least once. */
  announce?(ctx: Context, ending: Ending): Promise<void>
  audit: KindAudit<B, R>
  /** Clears and forgets what the things remember; left out where another domain does. */
  tidy?(ctx: Context): Promise<Tidied>
}

const working = new Map<string, Kind>()

/** The working half of the kind of this name. Its file is loaded before any function of the domain. */
export function works<B extends BookingDocument, Input, R extends AuditedRecord>(
  name: KindName,
  kind: Kind<B, Input, R>,
): void {
  working.set(name, kind)
}

export function workingHalfOf(name: string): Kind {
  const kind = working.get(name)
  if (!kind)
    throw new Error(`The kind ${name} is listed, but no functions/bookings/kinds/${name}/${name}.kind.ts works`)
  return kind
}

export interface Ending<Shown = unknown> {
  type: (typeof BOOKING_ENDS)[number]
  payload: Shown
  createdAt: string
}

/** How auditBooks reads the things of a kind. */
export interface KindAudit<B extends BookingDocument = BookingDocument, R extends AuditedRecord = AuditedRecord> {
  /** All of them, with the violations that are seen in each alone. */
  all(ctx: Context): AsyncIterable<AuditedThing<R>>
  /** Those of these ids that exist. */
  find(ctx: Context, ids: string[]): Promise<AuditedThing<R>[]>
  /** What a thing's active record says otherwise than its booking, in words. */
  differs(booking: B, record: R): string | undefined
}

export interface AuditedRecord {
  id: string
}

export interface AuditedThing<R extends AuditedRecord = AuditedRecord> {
  id: string
  /** Its active records. */
  records: R[]
  /** The ids of all bookings that it knows, in whichever of the three places. */
  markers: string[]
  /** Where it forgets active records. */
  forgottenBefore?: Date
  violations: Violation[]
}

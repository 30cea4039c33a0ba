import { z } from 'zod'
import { addKindErrors, type BookableKinds, type ErrorCode } from '../../../platform/contract/errors.js'
import type { NewsSpec } from '../../../platform/contract/news.js'
import { givenTime, id, time, version } from '../../../platform/contract/types.js'

/**
 * What clients may know of a kind of thing to book: `kinds/<kind>/contract.ts` says it, list.ts lists it, and
 * contract.ts of the domain takes it in. Knows neither models nor calls; those are in `<kind>.kind.ts` (kind.ts).
 */
export interface KindContract {
  /** `car`: its folder, and its bookings name the thing by `carId`. */
  name: string
  /** What it is booked by: createBooking answers when it is COMMITTED, startBooking when it is registered. */
  bookedBy: 'createBooking' | 'startBooking'
  /** Fields of that operation's input beside those of all kinds. */
  input: Record<string, z.ZodType>
  /** A rule over several of them: answers what is wrong. */
  rule?(input: Record<string, unknown>): { path: string[]; message: string } | undefined
  /** Each of these fields alone asks for this kind. */
  askedBy: readonly string[]
  /** Fields that its bookings show beside those of all kinds. */
  shows: Record<string, z.ZodType>
  /** What updateBooking may change in a booking that stands. */
  changes: Record<string, z.ZodType>
  /** Refusals before anything is stored, in order of precedence. */
  refuses: readonly ErrorCode[]
  /** The refusal of a thing that cannot be held: the reason of the cancelled booking. */
  refusal: ErrorCode
  /** Others are told how its bookings ended. */
  announces?: boolean
  /** What it tells sockets beside `booking:updated`. */
  news: Record<string, NewsSpec>
  /** Its own operations; their files lie in its folder. */
  operations: Record<string, unknown>
}

export const defineKind = <const K extends KindContract>(kind: K): K => kind

/** A kind whose things live in this domain, and are booked for a period by their id alone: cars, rooms. */
export function defineThing<const N extends keyof BookableKinds, const O extends Record<string, unknown>>(
  name: N,
  operations: O,
) {
  addKindErrors(name)
  const named = { [`${name}Id`]: id } as Record<`${N}Id`, typeof id>
  return defineKind({
    name,
    bookedBy: 'createBooking',
    input: named,
    askedBy: [`${name}Id`],
    shows: named,
    changes: {},
    refuses: [`${name}_not_found`, `${name}_retired`],
    refusal: `${name}_unavailable`,
    news: {},
    operations,
  })
}

/** What every such thing shows, beside the fields of its kind. */
export const thingShape = { id, retired: z.boolean(), version, createdAt: time, updatedAt: time }

/** Periods, as operations take them. */
export const givenPeriod = { from: givenTime, to: givenTime }
/** And as they answer them. */
export const period = { from: time, to: time }
interface Span {
  from?: string | undefined
  to?: string | undefined
}
export const fromBeforeTo = ({ from, to }: Span): boolean => !from || !to || from < to
export const ORDER = { message: 'from must be before to', path: ['to'] }

/** An optional period: what lists and busy times are asked for. */
export const maybePeriod = { from: givenTime.optional(), to: givenTime.optional() }
export const bothOrNeither = ({ from, to }: Span): boolean => !from === !to
export const PAIR = { message: 'from and to go together', path: ['to'] }

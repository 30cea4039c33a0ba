import { z } from 'zod'
import { COMMON_PASSWORDS } from './commonPasswords.js'
import { inUtc } from './rfc3339.js'

/** The types that contracts share: shapes on the wire. */

export const id = z.string().regex(/^[0-9a-f]{24}$/, 'must be 24 lower-case hex digits')

const CENTS = { description: 'minor units (cents)' }
export const money = z.int().min(0).max(Number.MAX_SAFE_INTEGER).meta(CENTS)
export const amount = z.int().min(1).max(Number.MAX_SAFE_INTEGER).meta(CENTS)
export const price = z.int().min(0).max(1_000_000_000_000).meta(CENTS)

/** What is answered: ISO 8601, UTC, milliseconds: `2031-01-01T01:00:00.000Z`. */
export const time = z.iso.datetime({ precision: 3 })

let years = { first: 1970, last: 2199 }
/** Which years may be asked about, by the settings; told before anything is asked. */
export const allowYears = (allowed: { first: number; last: number }): void => void (years = allowed)

/**
 * A time that clients give: any RFC 3339 text, which the function gets as `time` has it, so that two texts of one moment are
 * the same request. Within the years that the settings allow: outside of years 0 to 9999 ISO texts do not compare as their
 * times do, and whatever goes through a period day by day need not end.
 */
export const givenTime = z
  .string()
  .max(64)
  .overwrite(inUtc)
  .refine((at) => time.safeParse(at).success, {
    error: 'must be a time with its offset by RFC 3339, like 2031-01-01T02:00:00+01:00',
    abort: true,
  })
  .refine((at) => Number(at.slice(0, 4)) >= years.first && Number(at.slice(0, 4)) <= years.last, {
    error: () => `must be in the years ${years.first} to ${years.last}`,
  })
  .meta({ format: 'date-time' })

export const version = z.int().min(0)

/** Direction overrides and isolates turn what follows around: a name would lie about itself. */
const TURNS = '\u202a-\u202e\u2066-\u2069'
const NOT_IN_TEXT = new RegExp(`(?![\\t\\n\\r])\\p{Cc}|[\\p{Cs}${TURNS}]`, 'u')
const NOT_IN_LINE = new RegExp(`[\\p{Cc}\\p{Cs}\\u2028\\u2029${TURNS}]`, 'u')
/** Anything but spaces, combining marks, and what has no width. */
const VISIBLE = /[^\p{Cc}\p{Cf}\p{Cs}\p{Z}\p{M}\p{Default_Ignorable_Code_Point}\u2800]/u

/** One way to write each character, so that what looks the same is the same: for names, searches and passwords alike. */
const normalized = () => z.string().normalize('NFC')
const allowedInText = (text: string): boolean => !NOT_IN_TEXT.test(text)

/** Text of several lines; what is around it stays. */
export const text = (max: number) =>
  normalized().max(max).refine(allowedInText, 'must have no control characters, lone surrogates or direction overrides')

/** Text that says something. */
export const someText = (max: number) =>
  text(max)
    .trim()
    .min(1)
    .refine((each) => VISIBLE.test(each), 'must have a visible character')

/** What stands in a line: a name, a title, a search. */
export const line = (max: number) =>
  normalized()
    .trim()
    .min(1)
    .max(max)
    .refine((each) => !NOT_IN_LINE.test(each), 'must be one line, without control characters or direction overrides')
    .refine((each) => VISIBLE.test(each), 'must have a visible character')

export const name = line(200)
export const reasonText = text(500)

const ATOM = "[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
const TOP_LABEL = '(?:[a-z]{2,63}|xn--[a-z0-9-]{0,58}[a-z0-9])'
const EMAIL = new RegExp(`^(?=[^@]{1,64}@)${ATOM}(?:\\.${ATOM})*@(?:${LABEL}\\.)+${TOP_LABEL}$`)

/** As RFC 5321 has it, without quoted parts; in lower case, for no server in use tells addresses apart by case. */
export const email = z
  .string()
  .trim()
  .toLowerCase()
  .max(254)
  .regex(EMAIL, 'must be an e-mail address')
  .meta({ format: 'email' })

/** One that was set before, to be compared. */
export const knownPassword = normalized().max(200)
/** A new one: none that guessers try first. */
export const password = knownPassword
  .min(8)
  .refine((each) => !COMMON_PASSWORDS.has(each.toLowerCase()), 'is one of those that guessers try first')

/** What every list takes; spread it into the list's own filter. */
export const page = {
  limit: z.int().min(1).max(200).default(50),
  cursor: z.string().max(200).optional(),
}

export const listOf = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), nextCursor: z.string().nullable() })

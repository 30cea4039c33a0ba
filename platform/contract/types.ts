import { z } from 'zod'

/** The types that contracts share: shapes on the wire. */

export const id = z.string().regex(/^[0-9a-f]{24}$/, 'must be 24 lower-case hex digits')

/** Integer minor units (cents). */
export const money = z.int().min(0).max(Number.MAX_SAFE_INTEGER)
export const amount = z.int().min(1).max(Number.MAX_SAFE_INTEGER)
export const price = z.int().min(0).max(1_000_000_000_000)

/** ISO 8601, UTC, milliseconds: `2031-01-01T01:00:00.000Z`. */
export const time = z.iso.datetime({ precision: 3 })

export const version = z.int().min(0)

export const name = z.string().trim().min(1).max(200)
export const email = z.email().max(254).toLowerCase()
export const password = z.string().min(8).max(200)
export const reasonText = z.string().max(500)

/** What every list takes; spread it into the list's own filter. */
export const page = {
  limit: z.int().min(1).max(200).default(50),
  cursor: z.string().max(200).optional(),
}

export const listOf = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), nextCursor: z.string().nullable() })

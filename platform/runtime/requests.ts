import { createHash } from 'node:crypto'
import type { Context } from './function.js'

/** Who asked for an entity, and with which input: the same request again is known by it. */
export interface RequestMark {
  /** The caller's userId, `anonymous`, or `system`. */
  by: string
  /** SHA-256 of the canonical input, hex. */
  hash: string
}

/**
 * What a new entity remembers of the request that made it. The input must carry no secret: a hash of a password could
 * be guessed far faster than argon2 allows, so callers leave it out here and compare it otherwise.
 */
export const requestOf = (ctx: Pick<Context, 'caller'>, input: object, nobody = 'system'): RequestMark => ({
  by: ctx.caller?.userId ?? nobody,
  hash: createHash('sha256').update(canonical(input)).digest('hex'),
})

/** Whether a request is the one that made an entity, sent again. */
export const isSameRequest = (one: RequestMark, other: RequestMark): boolean =>
  one.by === other.by && one.hash === other.hash

/** JSON with sorted keys: the order in which a client wrote them means nothing. Undefined is absent. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  )
}

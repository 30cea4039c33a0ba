import { availableParallelism } from 'node:os'
import { hash, verify } from '@node-rs/argon2'
import { Refusal } from '../contract/errors.js'
import { createLanes } from './lanes.js'

/**
 * OWASP's argon2id setting, written out: 19 MiB, two passes, one lane. The package's default algorithm is argon2id.
 * Hashing runs on the thread pool of libuv.
 */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/**
 * Half of the cores hash at most, however many addresses sign in or guess at once: everybody else goes on being served.
 * Whoever would wait for seconds is refused instead.
 */
const turns = createLanes({
  atOnce: Math.max(1, Math.floor(availableParallelism() / 2)),
  waiting: 100,
  full: () => new Refusal('rate_limited', 'Too many people sign in at once.', { retryAfterMs: 1000 }),
})
const inTurn = <T>(work: () => Promise<T>): Promise<T> => turns.run('password', work)

let dummy: string | undefined

export const hashPassword = (password: string): Promise<string> => inTurn(() => hash(password, COST))

/**
 * Whether a password is the one behind a hash. Without a hash (unknown user, or none set yet) it does the same work
 * against one that nothing matches, so that the time it takes tells nobody which users exist.
 */
export async function verifyPassword(passwordHash: string | undefined, password: string): Promise<boolean> {
  const matches = await inTurn(async () =>
    verify(passwordHash ?? (dummy ??= await hash('a password that no user has', COST)), password),
  )
  return matches && passwordHash !== undefined
}

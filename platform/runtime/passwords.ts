import { hash, verify } from '@node-rs/argon2'

/**
 * OWASP's argon2id setting, written out: 19 MiB, two passes, one lane. The package's default algorithm is argon2id.
 * Hashing runs on the thread pool of libuv.
 */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

let dummy: Promise<string> | undefined

export const hashPassword = (password: string): Promise<string> => hash(password, COST)

/**
 * Whether a password is the one behind a hash. Without a hash (unknown user, or none set yet) it does the same work
 * against one that nothing matches, so that the time it takes tells nobody which users exist.
 */
export async function verifyPassword(passwordHash: string | undefined, password: string): Promise<boolean> {
  dummy ??= hashPassword('a password that no user has')
  const matches = await verify(passwordHash ?? (await dummy), password)
  return matches && passwordHash !== undefined
}

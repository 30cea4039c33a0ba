import { availableParallelism } from 'node:os'
import { Refusal } from '../contract/errors.js'
import { createHashThread, type HashThread } from './hashThread.js'
import { createLanes } from './lanes.js'

/**
 * Half of the cores hash at most, however many addresses sign in or guess at once: everybody else goes on being served.
 * Whoever would wait for seconds is refused instead.
 */
const THREADS = Math.max(1, Math.floor(availableParallelism() / 2))
const idle = Array.from({ length: THREADS }, createHashThread)
const turns = createLanes({
  atOnce: THREADS,
  waiting: 100,
  full: () => new Refusal('rate_limited', 'Too many people sign in at once.', { retryAfterMs: 1000 }),
})

const inTurn = <T>(work: (thread: HashThread) => Promise<T>): Promise<T> =>
  turns.run('password', async () => {
    const thread = idle.pop() as HashThread
    try {
      return await work(thread)
    } finally {
      idle.push(thread)
    }
  })

let dummy: string | undefined

export const hashPassword = (password: string): Promise<string> => inTurn((thread) => thread.hash(password))

/**
 * Whether a password is the one behind a hash. Without a hash (unknown user, or none set yet) it does the same work
 * against one that nothing matches, so that the time it takes tells nobody which users exist.
 */
export async function verifyPassword(passwordHash: string | undefined, password: string): Promise<boolean> {
  const matches = await inTurn(async (thread) =>
    thread.verify(passwordHash ?? (dummy ??= await thread.hash('a password that no user has')), password),
  )
  return matches && passwordHash !== undefined
}

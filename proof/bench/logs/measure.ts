import { setTimeout as sleep } from 'node:timers/promises'
import { calendars } from '../../../functions/calendars/contract.js'
import { messages } from '../../../functions/messages/contract.js'
import { users } from '../../../functions/users/contract.js'
import { includes } from '../../../platform/logs/appendLog.js'
import type { Caller } from '../../../platform/contract/caller.js'
import type { Projection } from '../../../platform/logs/projection.js'
import type { System } from '../../../platform/runtime/system.js'
import { followersOf, projectionsOf } from '../../../projections/followers.js'
import { startFollowers } from '../../../projections/runner.js'
import { percentile } from '../../support/numbers.js'
import { userOf } from './fill.js'

export interface Quantiles {
  count: number
  p50: number
  p99: number
}

const HOUR_MS = 3_600_000
const POLL_MS = 2
const USERS = 200

const quantiles = (values: number[]): Quantiles => {
  const sorted = Float64Array.from(values).sort()
  return { count: values.length, p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) }
}

const as = (caller: Caller | null) => ({ caller, requestId: 'bench' })

/**
 * From a command's answer to the moment when its view is seen to have it, at a rate of commands per second (open loop);
 * four of five are messages, the others invitations. The projections run in this process.
 */
export async function measureLatency(
  system: System,
  { perSecond, seconds }: { perSecond: number; seconds: number },
): Promise<{ view: Quantiles; command: Quantiles; reachedPerSecond: number; failed: number }> {
  const callers = await makeUsers(system)
  const runner = startFollowers(system, followersOf(system))
  const views = watchViews(projectionsOf(system))
  const commandMs: number[] = []
  const pending: Promise<void>[] = []
  let failed = 0
  const startedAt = performance.now()
  try {
    for (let n = 0; n < perSecond * seconds; n++) {
      const dueMs = startedAt + (n * 1000) / perSecond
      if (performance.now() < dueMs) await sleep(dueMs - performance.now())
      pending.push(one(n).catch(() => void failed++))
    }
    await Promise.all(pending)
    const reachedPerSecond = commandMs.length / ((performance.now() - startedAt) / 1000)
    return { view: quantiles(await views.seen()), command: quantiles(commandMs), reachedPerSecond, failed }
  } finally {
    await views.stop()
    await runner.stop()
  }

  async function one(n: number): Promise<void> {
    const from = callers[n % USERS] as Caller
    const to = callers[(n * 7 + 1 + (n % 3)) % USERS] as Caller
    if (from === to) return
    const sentAt = performance.now()
    const invites = n % 5 === 0
    const { seq } = invites
      ? await system.call(calendars.inviteToBooking, { sellerId: to.userId, ...period(n), note: 'bench' }, as(from))
      : await system.call(messages.sendMessage, { toUserId: to.userId, text: 'hello' }, as(from))
    const answeredAt = performance.now()
    commandMs.push(answeredAt - sentAt)
    views.expect(invites ? 0 : 1, seq, answeredAt)
  }
}

const period = (n: number): { from: string; to: string } => {
  const fromMs = Date.now() + HOUR_MS * (1 + (n % 5000))
  return { from: new Date(fromMs).toISOString(), to: new Date(fromMs + HOUR_MS).toISOString() }
}

async function makeUsers(system: System): Promise<Caller[]> {
  const made: Caller[] = []
  for (let i = 0; i < USERS; i++) {
    const email = `${system.newId()}@example.com`
    const { id } = await system.call(users.createUser, { name: 'Bench', email }, as(null))
    made.push({ userId: id, role: 'user' })
  }
  return made
}

/** Looks at the positions of all views every POLL_MS, and notes when each entry that is expected was first there. */
function watchViews(projections: Projection[]) {
  const waiting = projections.map(() => [] as { seq: number; answeredAt: number }[])
  const latenciesMs: number[] = []
  let stopped = false
  const watching = Promise.all(
    projections.map(async ({ progress }, i) => {
      while (!stopped) {
        const { offsets } = await progress()
        const now = performance.now()
        waiting[i] = (waiting[i] ?? []).filter(({ seq, answeredAt }) => {
          if (!includes(offsets, seq)) return true
          latenciesMs.push(Math.max(0, now - answeredAt))
          return false
        })
        await sleep(POLL_MS)
      }
    }),
  )
  return {
    expect: (projection: number, seq: number, answeredAt: number) =>
      void waiting[projection]?.push({ seq, answeredAt }),
    async seen(): Promise<number[]> {
      while (waiting.some((each) => each.length > 0)) await sleep(POLL_MS)
      return latenciesMs
    },
    async stop() {
      stopped = true
      await watching
    },
  }
}

/** Builds each view from its whole log, by name: entries a second. */
export async function measureBuild(system: System): Promise<{ name: string; entries: number; perSecond: number }[]> {
  const results = []
  for (const { name, advance } of projectionsOf(system)) {
    const startedAt = performance.now()
    let entries = 0
    for (let count; (count = await advance()) > 0;) entries += count
    results.push({ name, entries, perSecond: entries / ((performance.now() - startedAt) / 1000) })
  }
  return results
}

/** Reads, one after the other, of users all over. */
export async function measureReads(system: System, count: number): Promise<{ what: string; ms: Quantiles }[]> {
  const caller = (n: number): Caller => ({ userId: userOf(2 * (n % 50) + 1).toHexString(), role: 'user' })
  const other = (n: number): string => userOf(2 * (n % 50) + 2).toHexString()
  const range = { from: '2031-05-01T00:00:00.000Z', to: '2031-06-01T00:00:00.000Z', as: 'buyer' } as const
  const reads: [string, (n: number) => Promise<unknown>][] = [
    ['a month (getCalendar)', (n) => system.call(calendars.getCalendar, range, as(caller(n)))],
    [
      'a page of 25 (getConversation)',
      (n) => system.call(messages.getConversation, { withUserId: other(n), limit: 25 }, as(caller(n))),
    ],
    ['listConversations', (n) => system.call(messages.listConversations, {}, as(caller(n)))],
  ]
  const results = []
  for (const [what, read] of reads) {
    const ms: number[] = []
    for (let n = 0; n < count; n++) {
      const startedAt = performance.now()
      await read(n)
      ms.push(performance.now() - startedAt)
    }
    results.push({ what, ms: quantiles(ms.slice(Math.floor(count / 10))) })
  }
  return results
}

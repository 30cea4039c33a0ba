import type { Backlog } from '../../platform/contract/backlog.js'
import { jobsLateness } from '../../platform/jobs/lateness.js'
import type { System } from '../../platform/runtime/system.js'
import { bookings } from '../bookings/contract.js'
import { calendars } from '../calendars/contract.js'
import { events } from '../events/contract.js'
import { expirations } from '../expirations/contract.js'
import { messages } from '../messages/contract.js'
import { payments } from '../payments/contract.js'
import { users } from '../users/contract.js'

const OPERATIONS = [
  bookings.reportStuckBookings,
  calendars.reportStuckInvitations,
  events.reportDeadEvents,
  expirations.reportStuckTimers,
  messages.reportMessageView,
  payments.reportStuckPayments,
  users.reportStuckTransfers,
]

/** Waiting work is asked for so often at most, however often somebody asks how the system is doing. */
const MAX_AGE_MS = 2000
/** Of one answer. Whoever asks for the status waits for no database longer than that. */
const ANSWER_MS = 400
/** A domain that does not answer for a while is told as it was; what stops it is told elsewhere. */
const FORGET_MS = 30_000

export type BacklogCheck = Backlog['checks'][number] & { domain: string }

/** What waits in every domain, and whether the jobs run. `ctx.use(backlogs)`; never rejects. */
export function backlogs(system: System): () => Promise<readonly BacklogCheck[]> {
  const late = system.use(jobsLateness)
  const sources = [
    ...OPERATIONS.map((operation) => ({
      domain: operation.domain,
      ask: async () => (await system.call(operation, {}, { caller: null, requestId: system.newId() })).checks,
    })),
    { domain: 'jobs', ask: late },
  ].map((each) => ({ ...each, checks: [] as Backlog['checks'], atMs: 0, asking: false }))
  let asked: { atMs: number; answers: Promise<readonly BacklogCheck[]> } | undefined

  async function ask(source: (typeof sources)[number]): Promise<void> {
    // One that hangs is not asked again beside that.
    if (source.asking) return
    source.asking = true
    try {
      source.checks = await source.ask()
      source.atMs = performance.now()
    } catch {
      // What keeps it from answering is told by the checks of functions and databases.
    } finally {
      source.asking = false
    }
  }

  async function askAll(): Promise<readonly BacklogCheck[]> {
    await Promise.all(sources.map((each) => within(ANSWER_MS, ask(each))))
    return sources
      .filter(({ atMs }) => performance.now() - atMs < FORGET_MS)
      .flatMap(({ domain, checks }) => checks.map((check) => ({ domain, ...check })))
  }

  return () => {
    const nowMs = performance.now()
    if (!asked || nowMs - asked.atMs > MAX_AGE_MS) asked = { atMs: nowMs, answers: askAll() }
    return asked.answers
  }
}

async function within(timeoutMs: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, timeoutMs)))
  await Promise.race([work, late])
  clearTimeout(timer)
}

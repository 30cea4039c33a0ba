import { cp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { seededRandom } from '../support/numbers.js'
import { install, LEAN_PLACEMENT, type Installation } from '../support/installation.js'
import { startAuditor, type Auditor } from './auditor.js'
import { checkClaims } from './claims.js'
import { connectClient } from './client.js'
import { createJournal, type Journal, type Violation } from './journal.js'
import { createNemesis, type Nemesis } from './nemesis.js'
import { pm2Processes } from '../support/appProcesses.js'
import { startReplicaSet, type ReplicaSet } from './replicaSet.js'
import { buildReport, type ChaosReport } from './report.js'
import { planFaults, type FaultName } from './schedule.js'
import { PRICES, startWorkload } from './workload.js'

/** Short, so that much is recovered; long enough for a busy machine to get something done between. */
const STUCK_AFTER_MS = 6000
const SETTINGS = {
  RECOVERY_STUCK_AFTER_MS: String(STUCK_AFTER_MS),
  RECOVERY_INTERVAL_MS: '500',
  RATE_LIMIT_PER_SECOND: '0',
  PLACEMENT: LEAN_PLACEMENT,
  LOG_LEVEL: 'info',
}

/** From the last fault on: for clients to get their definite answers, and for recovery to end what is stuck. */
const GRACE_MS = 90_000
const MINUTE_MS = 60_000

export interface ChaosOptions {
  minutes: number
  seed: number
  faults: readonly FaultName[]
  /** Of its own: data and logs of the mongods; where something was violated, all that helps to find out why. */
  directory: string
  say(line: string): void
  signal: AbortSignal
}

/** One run, from an empty directory to a report. Nothing runs any more when it ends, however it ends. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { seed, directory, say, signal } = options
  const cleanups: (() => Promise<unknown>)[] = []
  try {
    say('Starting three mongods')
    const set = await startReplicaSet(directory, seededRandom(seed * 100 + 99), say)
    cleanups.push(() => set.close())
    say('Starting the system')
    const system = await install({ MONGODB_URI: set.uri, ...SETTINGS })
    cleanups.push(() => system.remove())
    cleanups.push(() => cp(join(String(system.env['PM2_HOME']), 'logs'), join(directory, 'logs'), { recursive: true }))
    const { code, output } = await system.cli('start')
    signal.throwIfAborted()
    if (code !== 0) throw new Error(`npm start failed:\n${output}`)
    const auditor = await startAuditor(set.uri, PRICES)
    cleanups.push(() => auditor.close())
    return await drive({ ...options, set, system, auditor })
  } finally {
    say('Taking everything down')
    // The last one first; one that fails must not keep the others from being taken down.
    for (const cleanup of cleanups.reverse()) {
      await cleanup().catch((error: unknown) => console.error(error))
    }
    for (const member of [0, 1, 2]) await rm(join(directory, `mongod-${member}`), { recursive: true, force: true })
  }
}

async function drive(
  run: ChaosOptions & { set: ReplicaSet; system: Installation; auditor: Auditor },
): Promise<ChaosReport> {
  const { minutes, seed, faults, directory, say, signal, set, system, auditor } = run
  const adminToken = await system.adminToken()
  const journal = createJournal()
  const { url, config } = system
  say('Starting the clients')
  const workload = await startWorkload({ url, config, adminToken, seed, journal, signal })
  const startedAt = new Date()
  const nemesis = createNemesis(set, pm2Processes(system), say)
  const plan = planFaults({ seed, forMs: minutes * MINUTE_MS, stuckAfterMs: STUCK_AFTER_MS, faults })
  say(`${plan.length} faults are planned`)

  const auditing = new AbortController()
  const audits = auditor.run(AbortSignal.any([signal, auditing.signal]))
  const progress = setInterval(() => say(progressOf(journal, auditor, set)), 15_000)
  try {
    await nemesis.run(plan, signal)
    await elapsed(startedAt, minutes * MINUTE_MS, signal)
  } finally {
    clearInterval(progress)
    say('Quiet: waiting for the clients')
    await workload.stop(signal.aborted ? 0 : GRACE_MS)
    auditing.abort()
    await audits
  }
  signal.throwIfAborted()

  say('Waiting until nothing is outstanding')
  const books = await auditor.settle(GRACE_MS, signal)
  const violations = [
    ...auditor.violations,
    ...checkClaims(journal, books),
    ...(await auditFromWithin(system, adminToken, signal)),
  ]
  const report = buildReport({
    seed,
    minutes,
    startedAt,
    settings: SETTINGS,
    journal,
    nemesis,
    set,
    audits: auditor.audits,
    books,
    violations,
  })
  if (!report.ok) await keepEvidence(directory, report, nemesis, journal, auditor)
  return report
}

/** The product's own audit must come to the same end as ours. */
async function auditFromWithin(system: Installation, token: string, signal: AbortSignal): Promise<Violation[]> {
  const giveUp = new AbortController()
  const timer = setTimeout(() => giveUp.abort(), GRACE_MS)
  const journal = createJournal()
  const both = AbortSignal.any([signal, giveUp.signal])
  const answer = await connectClient({ url: system.url, token, journal, signal: both }).settle('auditBooks', {})
  clearTimeout(timer)
  giveUp.abort()
  if (!answer?.ok) return [{ rule: 'own_audit_agrees', id: 'auditBooks', detail: JSON.stringify(answer) }]
  const { violations } = answer.data as { violations: { rule: string; entityId: string; detail: string }[] }
  return violations.map(({ rule, entityId, detail }) => ({
    rule: 'own_audit_agrees',
    id: entityId,
    detail: `${rule}: ${detail}`,
  }))
}

function progressOf({ tallies, bookings }: Journal, auditor: Auditor, set: ReplicaSet): string {
  const acknowledged = tallies['createBooking']?.acknowledged ?? 0
  const { done } = auditor.audits
  return `${bookings.size} bookings tried, ${acknowledged} acknowledged; ${set.elections()} elections; ${done} audits, ${auditor.violations.length} violations`
}

async function elapsed(startedAt: Date, ms: number, signal: AbortSignal): Promise<void> {
  await sleep(Math.max(0, startedAt.getTime() + ms - Date.now()), undefined, { signal }).catch(() => {})
}

async function keepEvidence(
  directory: string,
  report: ChaosReport,
  nemesis: Nemesis,
  journal: Journal,
  auditor: Auditor,
): Promise<void> {
  const write = (name: string, what: unknown): Promise<void> =>
    writeFile(join(directory, name), `${JSON.stringify(what, null, 2)}\n`)
  await write('report.json', report)
  await write('faults.json', nemesis.done)
  await write('told.json', { bookings: [...journal.bookings.values()], transfers: [...journal.transfers.values()] })
  await auditor.dump(directory)
}

import { setTimeout as sleep } from 'node:timers/promises'
import type { Violation } from './journal.js'
import { checkChange, checkMoment, checkRest, type Prices } from './rules.js'
import { openBooks, type Snapshot } from './snapshot.js'

/** At least between two audits; more where one takes long, so that auditing does not become the load. */
const PAUSE_MS = 1000
const PAUSE_PER_AUDIT = 6

/**
 * Audits the system from outside: its own queries, its own arithmetic, nothing of the product's code. Each audit reads
 * all books as they were at one moment, majority-committed.
 */
export interface Auditor {
  /** Audits until told to stop. */
  run(signal: AbortSignal): Promise<void>
  /** The books when nothing is outstanding any more; throws after `timeoutMs` what is. Checks them as well. */
  settle(timeoutMs: number, signal: AbortSignal): Promise<Snapshot>
  audits: { done: number; interrupted: number }
  /** Each violation once, in the order in which they were found. */
  violations: Violation[]
  dump(directory: string): Promise<void>
  close(): Promise<void>
}

export async function startAuditor(uri: string, prices: Prices): Promise<Auditor> {
  const books = await openBooks(uri)
  const found = new Map<string, Violation>()
  const audits = { done: 0, interrupted: 0 }
  const violations: Violation[] = []
  let seen = { at: 0n, states: new Map<string, string>() }

  /** Undefined where it could not be finished. */
  async function audit(): Promise<Snapshot | undefined> {
    const snapshot = await books.read().catch(() => undefined)
    if (!snapshot) {
      audits.interrupted++
      return undefined
    }
    audits.done++
    keep(checkMoment(snapshot, prices))
    // A primary that was deposed without knowing it may show us an earlier moment.
    if (snapshot.at > seen.at) {
      keep(checkChange(seen.states, snapshot))
      seen = { at: snapshot.at, states: new Map(snapshot.bookings.map(({ id, state }) => [id, state])) }
    }
    return snapshot
  }

  function keep(some: readonly Violation[]): void {
    for (const violation of some) {
      const key = `${violation.rule} ${violation.id}`
      if (found.has(key)) continue
      found.set(key, violation)
      violations.push(violation)
    }
  }

  return {
    audits,
    violations,
    async run(signal) {
      while (!signal.aborted) {
        const startedAt = performance.now()
        await audit()
        const tookMs = performance.now() - startedAt
        await sleep(Math.max(PAUSE_MS, PAUSE_PER_AUDIT * tookMs), undefined, { signal }).catch(() => {})
      }
    },
    async settle(timeoutMs, signal) {
      const giveUpAt = performance.now() + timeoutMs
      for (;;) {
        const snapshot = await audit()
        const open = snapshot && checkRest(snapshot)
        if (snapshot && open && (open.length === 0 || performance.now() > giveUpAt)) {
          keep(open)
          return snapshot
        }
        if (performance.now() > giveUpAt) throw new Error('The books cannot be read')
        signal.throwIfAborted()
        await sleep(500, undefined, { signal }).catch(() => {})
      }
    },
    dump: books.dump,
    close: () => books.close(),
  }
}

import { setTimeout as sleep } from 'node:timers/promises'
import { UNDISTURBED, type Disturbance } from '../support/proxy.js'
import type { Processes } from '../support/appProcesses.js'
import type { Member, ReplicaSet } from './replicaSet.js'
import type { FaultName, PlannedFault } from './schedule.js'

/** A fault that was made, and what it hit. */
export interface DoneFault extends PlannedFault {
  target: string
}

export interface Nemesis {
  done: DoneFault[]
  /** Planned, but at the time there was nothing to hit (no primary, or the process was not up yet). */
  missed: PlannedFault[]
  /** Makes all faults at their times. Ends when the last one is over, or at once with `signal`; all is well again then. */
  run(plan: readonly PlannedFault[], signal: AbortSignal): Promise<void>
}

/** How long a fault waits for something to hit. */
const PATIENCE_MS = 3000
const RETRY_MS = 100

export function createNemesis(set: ReplicaSet, processes: Processes, say: (line: string) => void): Nemesis {
  const done: DoneFault[] = []
  const missed: PlannedFault[] = []

  async function run(plan: readonly PlannedFault[], signal: AbortSignal): Promise<void> {
    const startedAt = performance.now()
    const under = new Set<Promise<void>>()
    for (const planned of plan) {
      await pause(startedAt + planned.atMs - performance.now(), signal)
      if (signal.aborted) break
      const fault = make(planned, signal).finally(() => under.delete(fault))
      under.add(fault)
    }
    await Promise.all(under)
  }

  async function make(planned: PlannedFault, signal: AbortSignal): Promise<void> {
    const strike = strikes[planned.fault]
    for (let waitedMs = 0; ; waitedMs += RETRY_MS) {
      const target = strike(planned, signal)
      if (target) {
        done.push({ ...planned, target: target.name })
        say(`${planned.fault} ${target.name}${planned.durationMs > 0 ? ` for ${planned.durationMs} ms` : ''}`)
        // A step-down may answer with an error, or with silence: the election shows whether it happened.
        await target.over.catch((error: unknown) => say(`${planned.fault} ${target.name}: ${(error as Error).message}`))
        return
      }
      if (signal.aborted || waitedMs >= PATIENCE_MS) {
        missed.push(planned)
        return
      }
      await pause(RETRY_MS, signal)
    }
  }

  /** What it hit, and when that is over and mended; undefined where there is nothing to hit. */
  type Strike = (planned: PlannedFault, signal: AbortSignal) => { name: string; over: Promise<unknown> } | undefined

  const process_: (act: (pid: number, planned: PlannedFault, signal: AbortSignal) => Promise<unknown>) => Strike =
    (act) => (planned, signal) => {
      const name = pickOf(processes.names, planned.pick)
      const pid = name && processes.pid(name)
      return name && pid ? { name, over: act(pid, planned, signal) } : undefined
    }

  const member =
    (
      choose: (pick: number) => Member | undefined,
      act: (member: Member, planned: PlannedFault, signal: AbortSignal) => Promise<unknown>,
    ): Strike =>
    (planned, signal) => {
      const chosen = choose(planned.pick)
      return chosen && { name: `mongod-${chosen.index}`, over: act(chosen, planned, signal) }
    }

  async function killMongod(victim: Member, { durationMs }: PlannedFault, signal: AbortSignal): Promise<void> {
    await set.kill(victim)
    await pause(durationMs, signal)
    set.start(victim)
  }

  async function freeze(
    stop: (signal: 'SIGSTOP' | 'SIGCONT') => void,
    { durationMs }: PlannedFault,
    signal: AbortSignal,
  ): Promise<void> {
    stop('SIGSTOP')
    await pause(durationMs, signal)
    stop('SIGCONT')
  }

  async function disturb(
    { proxy }: Member,
    disturbance: Disturbance,
    { durationMs }: PlannedFault,
    signal: AbortSignal,
  ): Promise<void> {
    proxy.disturb(disturbance)
    await pause(durationMs, signal)
    proxy.disturb(UNDISTURBED)
  }

  const primary = () => set.primary()
  const secondary = (pick: number) => pickOf(set.secondaries(), pick)
  // Only the primary gets writes: half of the network's faults are meant for it.
  const any = (pick: number) => (pick < 0.5 ? set.primary() : pickOf(set.members, 2 * pick - 1))

  const strikes: Record<FaultName, Strike> = {
    kill: process_((pid) => Promise.resolve(signalTo(pid, 'SIGKILL'))),
    pause: process_((pid, planned, signal) => freeze((each) => signalTo(pid, each), planned, signal)),
    killPrimary: member(primary, killMongod),
    killSecondary: member(secondary, killMongod),
    pausePrimary: member(primary, (victim, planned, signal) =>
      freeze((each) => set.signal(victim, each), planned, signal),
    ),
    stepDown: member(primary, (victim) => set.stepDown(victim)),
    stallMajority(planned, signal) {
      const victims = set.primary() ? set.secondaries() : []
      if (victims.length < 2) return undefined
      const over = freeze((each) => victims.forEach((victim) => set.signal(victim, each)), planned, signal)
      return { name: victims.map(({ index }) => `mongod-${index}`).join(', '), over }
    },
    delay: member(any, (victim, planned, signal) =>
      disturb(victim, { ...UNDISTURBED, delayMs: 20 + 400 * planned.pick }, planned, signal),
    ),
    dropReplies: member(any, (victim, planned, signal) =>
      disturb(victim, { ...UNDISTURBED, dropReplies: 0.3 }, planned, signal),
    ),
    reset: member(any, ({ proxy }) => Promise.resolve(proxy.reset())),
  }

  return { done, missed, run }
}

const pickOf = <T>(items: readonly T[], pick: number): T | undefined => items[Math.floor(pick * items.length)]

/** Ends early, without an error, when the signal says so. */
const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  sleep(Math.max(0, ms), undefined, { signal }).catch(() => {})

function signalTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It ended by itself, or by another fault.
  }
}

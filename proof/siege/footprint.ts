import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { pm2Processes } from '../support/appProcesses.js'
import type { Installation } from '../support/installation.js'
import type { Cost } from './verdict.js'

const LOOK_EVERY_MS = 250
/** Taken in blocks of 100 MB and given back, whatever is written; and mongod's own measurements. */
const NOT_DATA = new Set(['journal', 'diagnostic.data'])

export interface Footprint {
  /** What it cost since the last time that this was asked. */
  take(): Cost
  stop(): void
}

/** Looks at the processes, the data and the logs of a running system, all the time. */
export function watchFootprint(system: Installation): Footprint {
  const processes = pm2Processes(system)
  const known = new Map(processes.names.map((name) => [name, processes.pid(name)]))
  const data = String(system.env['DATA_DIR'])
  const logs = join(String(system.env['PM2_HOME']), 'logs')
  let ended: string[] = []
  let largestMb = 0
  let dataMb = sizeMb(data)

  function look(): void {
    for (const [name, before] of known) {
      const pid = processes.pid(name)
      if (pid !== before && pid !== undefined) known.set(name, pid)
      if (pid !== before && before !== undefined) ended.push(name)
      if (pid !== before && pid === undefined) known.set(name, undefined)
      if (pid !== undefined) largestMb = Math.max(largestMb, residentMb(pid))
    }
  }

  const timer = setInterval(look, LOOK_EVERY_MS)
  return {
    take() {
      look()
      const nowMb = sizeMb(data)
      const cost = { ended, largestMb, diskMb: Math.max(0, nowMb - dataMb), logMb: sizeMb(logs) }
      ended = []
      largestMb = 0
      dataMb = nowMb
      return cost
    },
    stop: () => clearInterval(timer),
  }
}

function residentMb(pid: number): number {
  try {
    const [, kb = '0'] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return Number(kb) / 1000
  } catch {
    return 0
  }
}

function sizeMb(directory: string): number {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter(({ name }) => !NOT_DATA.has(name))
      .map((entry) => join(directory, entry.name))
      .reduce((sum, path) => sum + (statSync(path).isDirectory() ? sizeMb(path) : statSync(path).size / 1e6), 0)
  } catch {
    // A file that goes while it is looked at: the next look sees the rest.
    return 0
  }
}

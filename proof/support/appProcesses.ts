import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { alive, type Installation } from './installation.js'

/** The processes that PM2 runs, by their names: `users-0`. PM2 starts the same name again after each end. */
export interface Processes {
  /** Those that faults may hit, in an order of their own. */
  names: readonly string[]
  /** Undefined while it is not running. */
  pid(name: string): number | undefined
}

/** agendash is a page for operators: no promise rests on it. */
const SPARED = /^agendash-/

/** Reads PM2's pid files: asking PM2 itself takes half a second of a core. */
export function pm2Processes({ env }: Installation): Processes {
  const home = String(env['PM2_HOME'])
  const directory = join(home, 'pids')
  const names = readdirSync(directory)
    .map((file) => file.replace(/\.pid$/, ''))
    .filter((name) => !SPARED.test(name))
    .sort()
  return {
    names,
    pid(name) {
      const pid = Number(readIfThere(join(directory, `${name}.pid`)))
      return pid > 0 && alive(pid) && isOurs(pid, home) ? pid : undefined
    },
  }
}

/** The number in the file may be somebody else's by now; where there is no /proc, it is believed. */
function isOurs(pid: number, home: string): boolean {
  const environment = readIfThere(`/proc/${pid}/environ`)
  return environment === '' || environment.includes(home)
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

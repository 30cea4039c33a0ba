import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import type { SessionStore } from '../../src/index.js'

/** What `sign-in` leaves for later commands of the same program, readable by this user alone: the gateway, and a session. */
export interface SessionFile {
  /** Where the session is of; undefined where there is none. */
  url(): string | undefined
  store(url: string): SessionStore
}

export function openSessionFile(program: string): SessionFile {
  const folder = process.env['XDG_CONFIG_HOME'] ?? join(homedir(), '.config')
  const path = join(folder, 'holdfast', `${program}.json`)

  function read(): { url?: string; session?: string } {
    try {
      return JSON.parse(readFileSync(path, 'utf8')) as { url: string; session: string }
    } catch {
      return {}
    }
  }
  return {
    url: () => read().url,
    store: (url) => ({
      get: () => (read().url === url ? read().session : null),
      set(session) {
        mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
        writeFileSync(path, JSON.stringify({ url, session }), { mode: 0o600 })
      },
      remove: () => rmSync(path, { force: true }),
    }),
  }
}

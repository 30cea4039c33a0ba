import { chmodSync, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../../config/index.js'
import { withFileLock } from '../../platform/lib/fileLock.js'
import { CommandFailure } from './command.js'

/** What systems allow for the path of a unix socket, the NUL at its end left out; macOS has the least. */
const MAX_SOCKET_BYTES = 103
/** A start takes a minute where much has to be fetched and built; one that takes longer is stuck. */
const PATIENCE_MS = 180_000
/** They hold the environment of every process. */
const DUMPS = ['dump.pm2', 'dump.pm2.bak']

/**
 * Runs `work` while no other command starts, reloads or stops what is in this PM2_HOME: two PM2 daemons in one directory
 * would hide each other's processes. The directory is its owner's alone where it is made here.
 */
export async function alone<T>(config: Config, say: (line: string) => void, work: () => Promise<T>): Promise<T> {
  const { pm2Home } = config
  const bytes = Buffer.byteLength(join(pm2Home, 'rpc.sock'))
  if (bytes > MAX_SOCKET_BYTES) {
    throw new CommandFailure(
      `PM2_HOME=${pm2Home} is too long: PM2's sockets in it would have ${bytes} bytes, and systems allow ${MAX_SOCKET_BYTES}. Set a shorter one.`,
    )
  }
  if (!existsSync(pm2Home)) mkdirSync(pm2Home, { recursive: true, mode: 0o700 })
  for (const file of DUMPS.map((name) => join(pm2Home, name))) if (existsSync(file)) chmodSync(file, 0o600)

  const giveUpAt = performance.now() + PATIENCE_MS
  let told = false
  const waiting = (): void => {
    if (!told) say(`Another command works in PM2_HOME=${pm2Home}: waiting for it`)
    told = true
    if (performance.now() > giveUpAt)
      throw new CommandFailure(`Another command has worked in PM2_HOME=${pm2Home} for ${PATIENCE_MS / 1000} s.`)
  }
  return withFileLock(join(pm2Home, 'holdfast.lock'), work, { waiting })
}

import { copyFile, open, readdir, rm, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../../config/index.js'
import type { Logger } from '../lib/log.js'
import { ecosystem, MONGOD_APP } from './ecosystem.js'

const EVERY_MS = 2000
/** Whoever began to set a file aside so long ago has died over it. */
const STALE_MS = 60_000

/**
 * Bounds the log files that PM2 writes for these apps: one that is over its size is copied to `<file>.1`, over the one
 * before, and emptied; PM2 goes on at its beginning, since it only ever appends. What is written between the two is
 * lost. So each file takes up to twice the size on disk, and what comes within two seconds. Several processes may do
 * this for the same files: a lock beside the file lets one through.
 */
export function boundLogFiles(options: {
  directory: string
  apps: readonly string[]
  maxBytes: number
  log: Logger
  everyMs?: number
}): { stop(): void } {
  const { directory, apps, maxBytes, log, everyMs = EVERY_MS } = options
  const ours = new RegExp(`^(${apps.join('|')})-(out|error)(-\\d+)?\\.log$`)

  async function look(): Promise<void> {
    const names = await readdir(directory).catch(() => [])
    for (const file of names.filter((name) => ours.test(name)).map((name) => join(directory, name))) {
      const found = await stat(file).catch(() => undefined)
      if (found && found.size > maxBytes) await setAside(file)
    }
  }

  async function setAside(file: string): Promise<void> {
    const lock = `${file}.lock`
    try {
      await (await open(lock, 'wx')).close()
    } catch {
      const held = await stat(lock).catch(() => undefined)
      if (held && Date.now() - held.mtimeMs > STALE_MS) await rm(lock, { force: true })
      return
    }
    try {
      if ((await stat(file)).size <= maxBytes) return
      await copyFile(file, `${file}.1`)
      await truncate(file)
    } finally {
      await rm(lock, { force: true })
    }
  }

  let looking = false
  const timer = setInterval(() => {
    if (looking) return
    looking = true
    look()
      .catch((error: unknown) => log.warn({ err: error }, 'could not bound the log files'))
      .finally(() => (looking = false))
  }, everyMs).unref()
  return { stop: () => clearInterval(timer) }
}

/**
 * Of all our apps, the embedded mongod too. The gateway and the jobs do it: whoever floods the log comes through the one,
 * and the other is there while it restarts.
 */
export function boundOurLogFiles(config: Config, log: Logger): { stop(): void } {
  if (config.logFileBytes === 0) return { stop: () => {} }
  const apps = [...ecosystem(config, '').map(({ name }) => name), MONGOD_APP]
  return boundLogFiles({ directory: join(config.pm2Home, 'logs'), apps, maxBytes: config.logFileBytes, log })
}

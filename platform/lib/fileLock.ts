import { mkdir, open, rm, stat, utimes } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const HEARTBEAT_MS = 1000
/** A holder that has not touched its file for so long is dead. */
const STALE_MS = 10_000

/**
 * Runs `work` while no other process on this machine does so for the same file. It saves doing work twice and is no
 * more than that: a holder that was frozen past STALE_MS may run beside the next one, so the work must be safe anyway.
 */
export async function withFileLock<T>(
  file: string,
  work: () => Promise<T>,
  {
    waiting = () => {},
  }: { /** Called while somebody else has it, again and again; throws to wait no longer. */ waiting?: () => void } = {},
): Promise<T> {
  await mkdir(dirname(file), { recursive: true })
  while (!(await take(file))) {
    waiting()
    if (await isStale(file)) await rm(file, { force: true })
    else await sleep(100)
  }
  const heartbeat = setInterval(() => {
    const now = new Date()
    void utimes(file, now, now).catch(() => {})
  }, HEARTBEAT_MS)
  try {
    return await work()
  } finally {
    clearInterval(heartbeat)
    await rm(file, { force: true })
  }
}

async function take(file: string): Promise<boolean> {
  try {
    await (await open(file, 'wx')).close()
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

async function isStale(file: string): Promise<boolean> {
  const found = await stat(file).catch(() => undefined)
  return found !== undefined && Date.now() - found.mtimeMs > STALE_MS
}

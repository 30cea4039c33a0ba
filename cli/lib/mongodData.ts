import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { embeddedUriFile, type Config } from '../../config/index.js'
import { embeddedMongoUri, findMongod, type MongodPlace } from '../../platform/mongod/mongod.js'
import { CommandFailure } from './command.js'

/** A clean shutdown flushes everything; cut short, the next start has to replay the journal. */
export const KILL_TIMEOUT_MS = 60_000
/** Below the ports that systems give to clients, so that ours is still free after a stop. */
const PORTS = { from: 20_000, to: 30_000 }

export interface EmbeddedMongod extends Required<MongodPlace> {
  binary: string
  password: string
}

export const dbPathOf = ({ dataDir }: Config): string => join(dataDir, 'mongod')

/**
 * Everything that must be there before the embedded MongoDB of this DATA_DIR starts: its binary, its directory with
 * nobody else in it, its port, which from here on is where commands look for it. Throws where another system has the data.
 */
export async function prepareMongod(config: Config, say: (line: string) => void): Promise<EmbeddedMongod> {
  const dbPath = dbPathOf(config)
  const binary = await findMongod(say)
  mkdirSync(dbPath, { recursive: true, mode: 0o700 })
  await endOrphan(dbPath, say)
  const port = await choosePort(config)
  const { keyFile, password } = mongodKey(config)
  writeOwn(embeddedUriFile(config.dataDir), `${embeddedMongoUri(port, password)}\n`)
  say(`Starting MongoDB (${binary}) at 127.0.0.1:${port}, data in ${dbPath}`)
  return { binary, dbPath, port, keyFile, password }
}

/** What opens the embedded MongoDB: made at random once, and for this user's eyes alone. */
export function mongodKey({ dataDir }: Config): { keyFile: string; password: string } {
  const keyFile = join(dataDir, 'mongod.key')
  if (!readIfThere(keyFile)) writeOwn(keyFile, randomBytes(32).toString('hex'))
  return { keyFile, password: readIfThere(keyFile) }
}

function writeOwn(file: string, text: string): void {
  writeFileSync(file, text, { mode: 0o600 })
  // The mode above is for a file that is made; one that is there keeps its own.
  chmodSync(file, 0o600)
}

/** Who runs a mongod for us: PM2's daemon, or `npm run dev`. */
const KEEPER = /God Daemon|cli[/\\]dev\.[jt]s/

/** A mongod that outlived a PM2 which was killed holds the data: it ends cleanly, so that the next one can have them. */
async function endOrphan(dbPath: string, say: (line: string) => void): Promise<void> {
  const pid = Number(readIfThere(join(dbPath, 'mongod.lock')))
  // The lock of a mongod that was killed names a process that may be anyone's by now.
  const isOurs = (): boolean => commandLine(pid).split('\0').includes(dbPath)
  if (!pid || !isOurs()) return
  const keeper = commandLine(parentOf(pid)).replaceAll('\0', ' ').trim()
  if (KEEPER.test(keeper)) {
    throw new CommandFailure(
      `Another system runs on the data in ${dbPath}: its MongoDB is process ${pid}, kept by "${keeper}". Stop that one, or set another DATA_DIR (and other ports and another PM2_HOME) to run two side by side.`,
    )
  }
  say(`Ending the MongoDB (process ${pid}) that outlived its PM2`)
  process.kill(pid, 'SIGINT')
  const giveUpAt = Date.now() + KILL_TIMEOUT_MS
  while (isOurs()) {
    if (Date.now() > giveUpAt)
      throw new CommandFailure(`The MongoDB of process ${pid} does not end. Stop it, then try again.`)
    await sleep(100)
  }
}

/** Its words, ended by NUL; empty where it does not run, and on systems without /proc. */
const commandLine = (pid: number): string => readIfThere(`/proc/${pid}/cmdline`)

const parentOf = (pid: number): number => Number(/^PPid:\s+(\d+)/m.exec(readIfThere(`/proc/${pid}/status`))?.[1] ?? 0)

/** The port of the last time, so that what knows the URI finds it again; another one where that is taken. */
async function choosePort(config: Config): Promise<number> {
  const kept = keptPort(config)
  return kept && (await isFree(kept)) ? kept : freePort()
}

/** Of the loopback, at random. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = PORTS.from + Math.floor(Math.random() * (PORTS.to - PORTS.from))
    if (await isFree(port)) return port
  }
}

/** Where the embedded MongoDB of this DATA_DIR listened the last time. */
export function keptPort({ dataDir }: Config): number | undefined {
  const uri = readIfThere(embeddedUriFile(dataDir)).trim()
  return uri ? Number(new URL(uri).port) : undefined
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

/** Whether nobody listens at this port. */
export const isFree = (port: number, host = '127.0.0.1'): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)))
  })

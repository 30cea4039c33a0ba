import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { embeddedUriFile, type Config } from '../../config/index.js'
import { MONGOD_APP, NAMESPACE } from '../../platform/app/ecosystem.js'
import { embeddedMongoUri, findMongod, initiateReplicaSet, mongodArgs } from '../../platform/mongod/mongod.js'
import { CommandFailure } from './command.js'
import { lastWords, listProcesses, pm2 } from './pm2.js'

/** A clean shutdown flushes everything; cut short, the next start has to replay the journal. */
const KILL_TIMEOUT_MS = 60_000
/** Below the ports that systems give to clients, so that ours is still free after a stop. */
const PORTS = { from: 20_000, to: 30_000 }

/** Runs the embedded MongoDB under PM2, with its data in DATA_DIR, and returns when it can be written to. */
export async function startEmbeddedMongo(config: Config, say: (line: string) => void): Promise<void> {
  const dbPath = join(config.dataDir, 'mongod')
  const [known] = (await listProcesses(config)).filter(({ app, ours }) => ours && app === MONGOD_APP)
  if (known && !known.args.includes(dbPath)) {
    throw new CommandFailure(
      `The MongoDB that runs in PM2_HOME=${config.pm2Home} has its data in another DATA_DIR: set another PM2_HOME to run two systems side by side`,
    )
  }
  if (known?.status === 'online') {
    const port = keptPort(config)
    if (port) return initiateReplicaSet(port)
  }
  if (known) await pm2(['delete', String(known.id)])

  const binary = await findMongod(say)
  mkdirSync(dbPath, { recursive: true })
  await endOrphan(dbPath, say)
  const port = await choosePort(config)
  writeFileSync(embeddedUriFile(config.dataDir), `${embeddedMongoUri(port)}\n`)
  say(`Starting MongoDB (${binary}) at 127.0.0.1:${port}, data in ${dbPath}`)
  const options = ['--name', MONGOD_APP, '--namespace', NAMESPACE, '--interpreter', 'none', '--merge-logs']
  const limits = ['--kill-timeout', String(KILL_TIMEOUT_MS)]
  await pm2(['start', binary, ...options, ...limits, '--', ...mongodArgs({ dbPath, port })])
  const settled = new AbortController()
  try {
    await Promise.race([initiateReplicaSet(port), failWhenGivenUp(config, settled.signal)])
  } finally {
    settled.abort()
  }
}

/** A mongod that outlived a PM2 which was killed holds the data: it ends cleanly, so that the next one can have them. */
async function endOrphan(dbPath: string, say: (line: string) => void): Promise<void> {
  const pid = Number(readIfThere(join(dbPath, 'mongod.lock')))
  // The lock of a mongod that was killed names a process that may be anyone's by now.
  const isOurs = (): boolean => readIfThere(`/proc/${pid}/cmdline`).split('\0').includes(dbPath)
  if (!pid || !isOurs()) return
  say(`Ending the MongoDB (process ${pid}) that outlived its PM2`)
  process.kill(pid, 'SIGINT')
  const giveUpAt = Date.now() + KILL_TIMEOUT_MS
  while (isOurs()) {
    if (Date.now() > giveUpAt)
      throw new CommandFailure(`The MongoDB of process ${pid} does not end. Stop it, then try again.`)
    await sleep(100)
  }
}

async function failWhenGivenUp(config: Config, signal: AbortSignal): Promise<void> {
  for (;;) {
    const process = (await listProcesses(config)).find(({ app, ours }) => ours && app === MONGOD_APP)
    if (process?.status === 'errored') {
      throw new CommandFailure(`MongoDB does not start. Its last words:\n${lastWords(process)}`)
    }
    await sleep(1000)
    if (signal.aborted) return
  }
}

/** The port of the last time, so that what knows the URI finds it again; another one where that is taken. */
async function choosePort(config: Config): Promise<number> {
  const kept = keptPort(config)
  if (kept && (await isFree(kept))) return kept
  for (;;) {
    const port = PORTS.from + Math.floor(Math.random() * (PORTS.to - PORTS.from))
    if (await isFree(port)) return port
  }
}

function keptPort({ dataDir }: Config): number | undefined {
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

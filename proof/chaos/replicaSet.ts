import mongoose from 'mongoose'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DEFAULT_DATABASE } from '../../config/index.js'
import { findMongod } from '../../platform/mongod/mongod.js'
import { freeTcpPorts } from '../support/installation.js'
import { until } from '../support/until.js'
import { OWN_APP_NAME, startProxy, type Proxy } from '../support/proxy.js'

const { MongoClient } = mongoose.mongo

const NAME = 'holdfast'
const MEMBERS = 3
const LOOPBACK = '127.0.0.1'
/** Short, so that many elections fit into a run; not so short that a busy machine elects by itself all the time. */
const ELECTION_TIMEOUT_MS = 2000
const HEARTBEAT_MS = 500
const WATCH_MS = 200
const START_TIMEOUT_MS = 60_000

export interface Member {
  index: number
  /** Where functions and the other members reach it. */
  proxy: Proxy
  /** The mongod's own port. */
  port: number
  child: ChildProcess | undefined
  /** What it said of itself when last asked: the term in which it is primary, 0 where it is not. */
  primaryInTerm: number
}

/**
 * Three mongods on this machine, each behind a proxy. The addresses in the replica set's configuration are the proxies',
 * so whatever drivers discover leads through them.
 */
export interface ReplicaSet {
  uri: string
  binary: string
  members: readonly Member[]
  /** Undefined while there is none, as far as is known. */
  primary(): Member | undefined
  secondaries(): Member[]
  kill(member: Member): Promise<void>
  start(member: Member): void
  /** SIGSTOP, SIGCONT. A member that does not run is left alone. */
  signal(member: Member, signal: NodeJS.Signals): boolean
  stepDown(member: Member): Promise<void>
  /** Terms in which a primary was seen, without the first one. */
  elections(): number
  /** Ends all mongods at once. */
  close(): Promise<void>
}

/** Its data and logs go under `directory`. */
export async function startReplicaSet(
  directory: string,
  random: () => number,
  say: (line: string) => void,
): Promise<ReplicaSet> {
  const binary = await findMongod(say)
  const ports = await freeTcpPorts(MEMBERS)
  const members: Member[] = await Promise.all(
    ports.map(async (port, index) => {
      await mkdir(join(directory, `mongod-${index}`), { recursive: true })
      return {
        index,
        port,
        proxy: await startProxy({ targetPort: port, random }),
        child: undefined,
        primaryInTerm: 0,
      }
    }),
  )
  const terms = new Set<number>()
  const closing = new AbortController()

  function start(member: Member): void {
    // A file, not a pipe: a mongod that nobody reads would block.
    const log = openSync(join(directory, `mongod-${member.index}.log`), 'a')
    // detached: Ctrl-C at the terminal is for us, and we end it in our order.
    const child = spawn(binary, argsOf(member, directory), { stdio: ['ignore', log, log], detached: true })
    closeSync(log)
    member.child = child
    child.once('exit', (code, signal) => {
      // Not by us: a member that gives itself up is started again, as whoever runs it would.
      if (member.child !== child) return
      say(`mongod-${member.index} ended by itself (${code ?? signal})`)
      start(member)
    })
  }

  async function kill(member: Member): Promise<void> {
    const { child } = member
    member.child = undefined
    member.primaryInTerm = 0
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }

  async function watch(member: Member): Promise<void> {
    const client = direct(member.port)
    try {
      while (!closing.signal.aborted) {
        member.primaryInTerm = await termOf(client).catch(() => 0)
        if (member.primaryInTerm > 0) terms.add(member.primaryInTerm)
        await sleep(WATCH_MS, undefined, { signal: closing.signal }).catch(() => {})
      }
    } finally {
      await client.close(true)
    }
  }

  let watching: Promise<unknown> = Promise.resolve()
  const set: ReplicaSet = {
    uri: `mongodb://${members.map(({ proxy }) => `${LOOPBACK}:${proxy.port}`).join(',')}/${DEFAULT_DATABASE}?replicaSet=${NAME}`,
    binary,
    members,
    // Of two that believe it, the one of the later term is right.
    primary: () => members.filter((m) => m.primaryInTerm > 0).sort((a, b) => b.primaryInTerm - a.primaryInTerm)[0],
    secondaries() {
      const primary = set.primary()
      return members.filter((member) => member !== primary && member.child)
    },
    kill,
    start,
    signal: ({ child }, signal) => child?.kill(signal) ?? false,
    async stepDown({ port }) {
      const client = direct(port)
      try {
        // force: what is not majority yet is lost to the new primary, which is what we want to see survived.
        await client.db('admin').command({ replSetStepDown: 5, secondaryCatchUpPeriodSecs: 1, force: true })
      } finally {
        await client.close(true)
      }
    },
    elections: () => Math.max(0, terms.size - 1),
    async close() {
      closing.abort()
      // SIGKILL ends a stopped one as well; the data go anyway.
      await Promise.all(members.map(kill))
      await watching
      await Promise.all(members.map(({ proxy }) => proxy.close()))
    },
  }

  try {
    members.forEach(start)
    await initiate(members)
    watching = Promise.all(members.map(watch))
    await until(() => set.primary(), { timeoutMs: START_TIMEOUT_MS, what: 'a primary' })
    return set
  } catch (error) {
    await set.close()
    throw error
  }
}

const argsOf = ({ index, port }: Member, directory: string): string[] => [
  ...['--dbpath', join(directory, `mongod-${index}`)],
  ...['--port', String(port)],
  ...['--bind_ip', LOOPBACK],
  ...['--replSet', NAME],
  ...['--wiredTigerCacheSizeGB', '0.25'],
  ...['--oplogSize', '512'],
  ...['--setParameter', 'diagnosticDataCollectionEnabled=false'],
  ...['--quiet', '--slowms', '60000', '--nounixsocket'],
]

/** To one member itself, past its proxy. */
const direct = (port: number): mongoose.mongo.MongoClient =>
  new MongoClient(`mongodb://${LOOPBACK}:${port}/?directConnection=true`, {
    appName: OWN_APP_NAME,
    serverSelectionTimeoutMS: 1000,
    connectTimeoutMS: 1000,
    socketTimeoutMS: 3000,
    heartbeatFrequencyMS: 500,
    retryReads: false,
  })

async function initiate(members: readonly Member[]): Promise<void> {
  const first = members[0] as Member
  const config = {
    _id: NAME,
    members: members.map(({ index, proxy }) => ({ _id: index, host: `${LOOPBACK}:${proxy.port}` })),
    settings: { electionTimeoutMillis: ELECTION_TIMEOUT_MS, heartbeatIntervalMillis: HEARTBEAT_MS },
  }
  for (const { port } of members) await answering(port)
  const client = direct(first.port)
  try {
    await client.db('admin').command({ replSetInitiate: config })
  } finally {
    await client.close(true)
  }
}

const answering = (port: number): Promise<unknown> =>
  until(
    async () => {
      // A new client each time: one whose first attempt to connect failed never connects again.
      const client = direct(port)
      try {
        return await client.db('admin').command({ ping: 1 })
      } finally {
        await client.close(true)
      }
    },
    { timeoutMs: START_TIMEOUT_MS, what: `the mongod at port ${port}` },
  )

/** The term in which it is a primary that takes writes; 0: it is none. */
async function termOf(client: mongoose.mongo.MongoClient): Promise<number> {
  const hello = await client.db('admin').command({ hello: 1 }, { timeoutMS: 1000 })
  if (!hello['isWritablePrimary']) return 0
  // electionId is a fixed prefix and the term.
  return Number.parseInt(String(hello['electionId']).slice(-12), 16)
}

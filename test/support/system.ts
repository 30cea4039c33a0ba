import type { ExecutionContext } from 'ava'
import { pino } from 'pino'
import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig, type Config } from '../../config/index.js'
import { users } from '../../functions/users/contract.js'
import { bookings } from '../../functions/bookings/contract.js'
import type { CallInput, Operation, Output } from '../../platform/contract/contract.js'
import { Refusal } from '../../platform/contract/errors.js'
import type { Caller } from '../../platform/contract/caller.js'
import type { FunctionDefinition } from '../../platform/runtime/function.js'
import { migrateUp } from '../../platform/migrations/migrations.js'
import { createCoteTransport } from '../../platform/calls/cote.js'
import { createSystem, type System, type SystemOptions } from '../../platform/runtime/system.js'
import { loadFunctions } from '../../platform/runtime/tree.js'
import { freeUdpPort } from '../../proof/support/ports.js'
import { sharedMongod, type TestMongod } from './mongod.js'

/** Where every test's clock starts. It stands still until a test advances it. */
export const START = new Date('2031-01-01T00:00:00.000Z')
export const HOUR_MS = 3_600_000

export const admin: Caller = { userId: 'aaaaaaaaaaaaaaaaaaaaaaaa', role: 'admin' }

export interface TestClock {
  now(): Date
  advance(ms: number): void
}

export interface TestSystem extends System {
  clock: TestClock
  /** Settings as environment variables, for a process or a system beside this one. */
  env: Record<string, string>
  /** Lines of the log, from `debug` up. */
  logs: Record<string, unknown>[]
  /** Answers the data, throws the Refusal. `by` is the admin unless told. */
  run<Op extends Operation>(operation: Op, input: CallInput<Op>, by?: Caller | null): Promise<Output<Op>>
  /** Answers the Refusal that the call ends with; fails when it ends otherwise. */
  refused<Op extends Operation>(operation: Op, input: CallInput<Op>, by?: Caller | null): Promise<Refusal>
  makeUser(options?: { balance?: number; role?: 'user' | 'admin' }): Promise<Caller>
  makeCar(options?: { pricePerHour?: number }): Promise<string>
}

export interface TestSystemOptions {
  /** By default every function in the tree. */
  functions?: readonly FunctionDefinition[]
  /** A mongod by domain, by default the file's shared one for all. */
  mongods?: Record<string, TestMongod>
  /** Settings, as environment variables. */
  env?: Record<string, string>
  /** Domains that live on hosts of their own, by address: calls to them go over cote. */
  hosts?: Record<string, string>
  /** A second executor: on the databases, the clock and the ids of this one, with connections of its own. */
  beside?: TestSystem
  now?: () => Date
  newId?: () => string
}

/** A system in this process on databases of its own, migrated; all of it is gone when the test ends. */
export async function createTestSystem(t: ExecutionContext, options: TestSystemOptions = {}): Promise<TestSystem> {
  const { beside, hosts } = options
  const discovery = hosts && { DISCOVERY_PORT: String(await freeUdpPort()) }
  const env = { ...(beside?.env ?? (await freshEnv(options.mongods))), ...discovery, ...options.env }
  const config = unhurried(loadConfig(env))
  const functions = options.functions ?? (await loadFunctions())
  const logs: Record<string, unknown>[] = []
  const log = pino(
    { level: 'debug', base: { test: t.title } },
    { write: (line) => void logs.push(JSON.parse(line) as Record<string, unknown>) },
  )
  const clock = beside?.clock ?? startClock()
  const common = {
    log,
    now: options.now ?? clock.now,
    newId: options.newId ?? beside?.newId ?? countIds(),
  }
  const away = await Promise.all(
    Object.entries(hosts ?? {}).map(([domain, host]) => startHost(env, common, domain, host)),
  )
  const system = createSystem({
    ...common,
    config,
    functions: functions.filter(({ operation }) => !hosts?.[operation.domain]),
    ...(hosts && { transport: await createCoteTransport({ config, log }) }),
  })
  const domains = [...new Set(['users', 'bookings', ...functions.map(({ operation }) => operation.domain)])]
  await system.databases.connect(domains)
  if (!beside) await Promise.all(domains.map((domain) => migrateUp(config, { domains: [domain] })))

  t.teardown(async () => {
    if (!t.passed) for (const line of logs.filter(({ level }) => (level as number) >= WARN)) t.log(line)
    // Domains may share a database: one after the other, for a database that is being dropped refuses to be dropped.
    if (!beside) for (const domain of domains) await system.databases.connection(domain).dropDatabase()
    for (const each of [system, ...away]) await each.close()
    if (!beside && !options.env?.['DATA_DIR']) await rm(config.dataDir, { recursive: true, force: true })
  })

  let requests = 0
  const run: TestSystem['run'] = (operation, input, by = admin) =>
    system.call(operation, input, { caller: by, requestId: `request-${++requests}` })
  let made = 0
  return Object.assign(system, {
    clock,
    env,
    logs,
    run,
    async refused<Op extends Operation>(operation: Op, input: CallInput<Op>, by?: Caller | null) {
      try {
        t.log(await run(operation, input, by))
      } catch (error) {
        if (error instanceof Refusal) return error
        throw error
      }
      throw new Error(`${operation.name} was not refused`)
    },
    async makeUser({ balance = 0, role = 'user' as const }: { balance?: number; role?: 'user' | 'admin' } = {}) {
      made += 1
      const name = `${role} ${made}`
      const { id } = await run(users.createUser, { name, email: `${system.newId()}@example.com`, role })
      if (balance > 0) await run(users.depositFunds, { userId: id, amount: balance })
      return { userId: id, role }
    },
    async makeCar({ pricePerHour = 1000 }: { pricePerHour?: number } = {}) {
      made += 1
      return (await run(bookings.createCar, { name: `car ${made}`, pricePerHour })).id
    },
  })
}

/** A domain's functions at an address of their own, as a PM2 app would host them. */
async function startHost(
  env: Record<string, string>,
  common: Omit<SystemOptions, 'config' | 'functions'>,
  domain: string,
  host: string,
): Promise<System> {
  const config = loadConfig({ ...env, FUNCTIONS_HOST: host })
  const functions = (await loadFunctions()).filter(({ operation }) => operation.domain === domain)
  const transport = await createCoteTransport({ config, log: common.log })
  const system = createSystem({ ...common, config, functions, transport })
  await system.databases.connect([domain])
  const operations = functions.map(({ operation }) => `${domain}.${operation.name}`)
  await transport.serve({ app: domain, operations, handle: system.handle, health: system.health })
  return system
}

const WARN = 40

/** Two test files and what else a machine does share its cores: how fast it is must decide no test. */
const unhurried = (config: Config): Config => ({
  ...config,
  deadlinesMs: { ...config.deadlinesMs, quick: 3 * config.deadlinesMs.quick },
})

async function freshEnv(mongods: Record<string, TestMongod> | undefined): Promise<Record<string, string>> {
  const database = `test-${randomBytes(6).toString('hex')}`
  const byDomain = Object.entries(mongods ?? {}).map(([domain, mongod]) => [
    `MONGODB_URI_${domain.toUpperCase()}`,
    mongod.uri(database),
  ])
  return {
    NODE_ENV: 'test',
    MONGODB_URI: (await (Object.values(mongods ?? {})[0] ?? sharedMongod())).uri(database),
    ...(Object.fromEntries(byDomain) as Record<string, string>),
    AUTH_SECRET: 'the secret of tests that signs tokens',
    CLUSTER_SECRET: 'the secret of tests that signs calls',
    // Made when something is written there, such as a mail.
    DATA_DIR: join(tmpdir(), `holdfast-${database}`),
  }
}

function startClock(): TestClock {
  let nowMs = START.getTime()
  return {
    now: () => new Date(nowMs),
    advance: (ms) => void (nowMs += ms),
  }
}

/** 24 hex digits, counting from 1: the same in every run. */
function countIds(): () => string {
  let last = 0
  return () => (++last).toString(16).padStart(24, '0')
}

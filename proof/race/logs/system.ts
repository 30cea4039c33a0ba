import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { loadConfig, type Config } from '../../../config/index.js'
import { users } from '../../../functions/users/contract.js'
import { createGateway, type Gateway } from '../../../gateway/server.js'
import { watchFeeds } from '../../../gateway/feedWatch.js'
import type { Random } from '../../support/numbers.js'
import { createCoteTransport, type CoteTransport } from '../../../platform/calls/cote.js'
import { createLogger } from '../../../platform/lib/log.js'
import { migrateUp } from '../../../platform/migrations/migrations.js'
import { createSystem, type System } from '../../../platform/runtime/system.js'
import { signToken } from '../../../platform/runtime/tokens.js'
import { loadContracts, loadFunctions } from '../../../platform/runtime/tree.js'

const DOMAINS = ['users', 'payments', 'feeds', 'calendars', 'messages']
const ROOT = join(import.meta.dirname, '..', '..', '..')

/** Functions and a gateway in this process, on a MongoDB of their own; projections run in another one. */
export interface RaceSystem {
  system: System
  config: Config
  env: Record<string, string>
  url: string
  makeUser(balance: number): Promise<{ userId: string; token: string }>
  stop(): Promise<void>
}

export async function startRaceSystem(uri: string, discoveryPort: number): Promise<RaceSystem> {
  const env = {
    NODE_ENV: 'test',
    MONGODB_URI: uri,
    AUTH_SECRET: 'the secret of the race that signs tokens',
    CLUSTER_SECRET: 'the secret of the race that signs calls',
    DISCOVERY_PORT: String(discoveryPort),
    RATE_LIMIT_PER_SECOND: '0',
    MAX_OPEN_INVITATIONS: '1000000',
    LOG_LEVEL: 'error',
  }
  const loaded = loadConfig(env)
  const config = { ...loaded, gateway: { ...loaded.gateway, port: 0 } }
  const log = createLogger('race', config.logLevel)
  const functions = (await loadFunctions()).filter(({ operation }) => DOMAINS.includes(operation.domain))
  const transport: CoteTransport = await createCoteTransport({ config, log })
  const system = createSystem({ config, log, functions, transport })
  for (const domain of DOMAINS) await migrateUp(config, { domains: [domain] })
  await system.databases.connect(DOMAINS)
  await transport.serve({
    app: 'race',
    operations: functions.map(({ operation }) => `${operation.domain}.${operation.name}`),
    handle: system.handle,
    health: system.health,
  })
  const gateway: Gateway = createGateway({
    config,
    log,
    contracts: await loadContracts(),
    request: (envelope) => system.handle(envelope),
    watchFeeds: watchFeeds(system),
    now: system.now,
    newId: system.newId,
  })
  const port = await gateway.listen()
  return {
    system,
    config,
    env,
    url: `http://127.0.0.1:${port}`,
    async makeUser(balance) {
      const by = { caller: null, requestId: 'race' }
      const email = `${system.newId()}@example.com`
      const user = await system.call(users.createUser, { name: 'Racer', email }, by)
      await system.call(users.depositFunds, { userId: user.id, amount: balance }, by)
      const token = await signToken({ userId: user.id, role: 'user', tokenVersion: 0 }, config, system.now())
      return { userId: user.id, token }
    },
    async stop() {
      await gateway.drain()
      await system.close()
    },
  }
}

export interface KilledProjections {
  kills: number
  /** Kills no more; projections keep running. */
  rest(): void
  stop(): Promise<void>
}

/** Runs projections in a process of their own, and kills it (SIGKILL) again and again, at random times. */
export function startKilledProjections(
  env: Record<string, string>,
  options: { random: Random; fromMs: number; toMs: number },
): KilledProjections {
  const { random, fromMs, toMs } = options
  const state = { stopped: false, resting: false }
  let child: ChildProcess | undefined
  const over = new AbortController()
  const killed: KilledProjections = {
    kills: 0,
    rest: () => void (state.resting = true),
    async stop() {
      state.stopped = true
      over.abort()
      child?.kill('SIGKILL')
      await running
    },
  }
  const running = run()

  async function run(): Promise<void> {
    while (!state.stopped) {
      child = fork(join(ROOT, 'projections/main.ts'), [], {
        env: { ...process.env, ...env },
        execArgv: ['--import=tsx', '--unhandled-rejections=strict'],
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      })
      const exited = once(child, 'exit')
      // Once it runs: a process that is killed while it starts has nothing to lose yet.
      await Promise.race([once(child, 'message'), exited])
      await sleep(fromMs + random() * (toMs - fromMs), undefined, { signal: over.signal }).catch(() => {})
      if (!state.resting && !state.stopped) {
        child.kill('SIGKILL')
        killed.kills++
      }
      await exited
    }
  }

  return killed
}

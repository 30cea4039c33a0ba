import type { ExecutionContext } from 'ava'
import { ObjectId } from 'bson'
import { io, type Socket } from 'socket.io-client'
import { loadConfig, type Config } from '../../config/index.js'
import { bookings } from '../../functions/bookings/contract.js'
import { platform } from '../../functions/platform/contract.js'
import { users } from '../../functions/users/contract.js'
import type { WatchFeeds } from '../../gateway/feedWatch.js'
import { createGateway, type Gateway, type GatewayOptions } from '../../gateway/server.js'
import type { Operation } from '../../platform/contract/contract.js'
import type { Result } from '../../platform/contract/errors.js'
import { createLogger } from '../../platform/lib/log.js'
import { signToken } from '../../platform/runtime/tokens.js'
import type { Envelope } from '../../platform/runtime/transport.js'

export const contracts = new Map<string, Operation>(Object.entries({ ...users, ...bookings, ...platform }))

export const newId = (): string => new ObjectId().toHexString()

const SECRET = 'test-secret-test-secret-test-secret-'

/** Where nothing is ever appended to a feed. */
export const noNews: WatchFeeds = () => {}

/** A config for one gateway on a port of its own. */
export function testConfig(env: Record<string, string> = {}): Config {
  const config = loadConfig({ AUTH_SECRET: SECRET, CLUSTER_SECRET: SECRET, LOG_LEVEL: 'silent', ...env })
  return { ...config, gateway: { ...config.gateway, port: 0 } }
}

export type Answering = (envelope: Envelope) => Promise<Result<unknown>> | Result<unknown>

export interface TestGateway {
  gateway: Gateway
  config: Config
  port: number
  /** What reached the functions, but for the lookups of who is calling and of where feeds are. */
  calls: Envelope[]
  /** By userId; whoever is not here has no working token. */
  users: Map<string, { role: 'user' | 'admin'; tokenVersion: number }>
  lookups: number
  connect(token?: string, options?: Parameters<typeof io>[1]): Promise<Socket>
  /** Signs in a new user. */
  userToken(role?: 'user' | 'admin'): Promise<{ userId: string; token: string }>
}

/** A real gateway before functions that only record what reached them, so that "nothing got through" can be shown. */
export async function startGateway(
  t: ExecutionContext,
  options: { env?: Record<string, string>; answer?: Answering; overrides?: Partial<GatewayOptions> } = {},
): Promise<TestGateway> {
  const config = testConfig(options.env)
  const log = createLogger('gateway', config.logLevel)
  const sockets: Socket[] = []
  const answer: Answering = options.answer ?? (({ input }) => ({ ok: true, data: input }))
  const gateway = createGateway({
    config,
    log,
    contracts,
    async request(envelope) {
      if (envelope.operation === 'feeds.readFeedHeads') {
        return Promise.resolve({
          ok: true,
          data: { heads: (envelope.input as { feeds: string[] }).feeds.map(() => 0) },
        })
      }
      if (envelope.operation === 'platform.shareUse') return { ok: true, data: { spent: [], workers: 1 } }
      if (envelope.operation === 'users.listAccessChanges') {
        const { afterMs } = envelope.input as { afterMs: number }
        const changed = [...harness.users].map(([userId, { tokenVersion }]) => ({ userId, tokenVersion }))
        return { ok: true, data: { afterMs: 1, changed: afterMs === 0 ? null : changed } }
      }
      if (envelope.operation !== 'users.authenticate') {
        harness.calls.push(envelope)
        return answer(envelope)
      }
      harness.lookups++
      const { tokens } = envelope.input as { tokens: { userId: string; tokenVersion: number }[] }
      const roles = tokens.map(({ userId, tokenVersion }) => {
        const user = harness.users.get(userId)
        return user?.tokenVersion === tokenVersion ? user.role : null
      })
      return Promise.resolve({ ok: true, data: { roles } })
    },
    watchFeeds: noNews,
    now: () => new Date(),
    newId,
    ...options.overrides,
  })
  const harness: TestGateway = {
    gateway,
    config,
    port: await gateway.listen(),
    calls: [],
    users: new Map(),
    lookups: 0,
    async connect(token, socketOptions) {
      const socket = open(harness.port, { ...(token !== undefined && { auth: { token } }), ...socketOptions })
      sockets.push(socket)
      await connected(socket)
      return socket
    },
    async userToken(role = 'user') {
      const userId = newId()
      harness.users.set(userId, { role, tokenVersion: 1 })
      return { userId, token: await signToken({ userId, role, tokenVersion: 1 }, config, new Date()) }
    },
  }
  t.teardown(async () => {
    for (const socket of sockets) socket.disconnect()
    await gateway.drain()
  })
  return harness
}

export const open = (port: number, options: Parameters<typeof io>[1] = {}): Socket =>
  io(`http://127.0.0.1:${port}`, { transports: ['websocket'], forceNew: true, reconnectionDelay: 20, ...options })

/** Rejects with the connect_error. */
export const connected = (socket: Socket): Promise<void> =>
  new Promise((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('connect_error', reject)
  })

export const send = async (socket: Socket, operation: string, ...args: unknown[]): Promise<Result<unknown>> =>
  (await socket.timeout(10_000).emitWithAck(operation, ...args)) as Result<unknown>

/** The code that a request is answered with; 'ok' when it went well. */
export async function codeOf(socket: Socket, operation: string, ...args: unknown[]): Promise<string> {
  const result = await send(socket, operation, ...args)
  return result.ok ? 'ok' : result.error.code
}

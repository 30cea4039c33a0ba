import { setMaxListeners } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server, type Socket } from 'socket.io'
import { z } from 'zod'
import type { Config } from '../config/index.js'
import { users } from '../functions/users/contract.js'
import { coveredBy } from '../platform/contract/apiKeys.js'
import type { Operation } from '../platform/contract/contract.js'
import { Refusal, toPublicError } from '../platform/contract/errors.js'
import { invalidInput } from '../platform/runtime/invocation.js'
import type { Logger } from '../platform/lib/log.js'
import { verifyToken, type TokenClaims } from '../platform/runtime/tokens.js'
import type { Transport } from '../platform/runtime/transport.js'
import { createGuardedServer } from '../platform/http/connections.js'
import { network } from '../platform/http/network.js'
import { createRepeats } from '../platform/http/repeats.js'
import { id } from '../platform/contract/types.js'
import { createApiKeys } from './apiKeys.js'
import { createAuthority } from './authority.js'
import { limitedParser, MAX_MESSAGE_BYTES } from './decoder.js'
import { createDispatch, type Dispatch, type Sender } from './dispatch.js'
import { createGatewayFeeds } from './feeds.js'
import type { WatchFeeds } from './feedWatch.js'
import { createLimits, type SocketLimits } from './limits.js'
import { createMeter } from './meter.js'
import { countOutgoing } from './outgoing.js'
import { originAllowed } from './origin.js'
import { createPace } from './pace.js'
import { refusePolling } from './polling.js'
import { createRoleLookup } from './roles.js'
import { createSession, type SocketSession } from './session.js'
import { shareUse } from './sharedUse.js'
import type { Comeback } from './socketFeeds.js'
import { createSystemCall } from './systemCall.js'
import { watchDoor } from './watchdog.js'

const seq = z.int().min(0)
/** In the handshake, beside the token. */
const comebackShape: z.ZodType<Comeback> = z.object({ lastSeq: seq.optional(), lobbies: z.record(id, seq).optional() })

/** How long a connection may stay without saying who it is. */
const CONNECT_TIMEOUT_MS = 5000
/** In requests: verifying a signature for nothing. */
const COST_OF_A_BAD_HANDSHAKE = 10
/** For clients to leave by themselves: refused ones, and what is left of the drain time after the last answers. */
const FAREWELL_MS = 1500
/** What an API key must cover for its socket to hear its user's news. */
const NEWS = { domain: 'feeds', reads: true } as const
/** Until a socket whose token was revoked is closed; it hears nothing more before that. */
const LAST_ANSWERS_MS = 500

export interface GatewayOptions {
  config: Pick<Config, 'gateway' | 'authSecret' | 'authSecretAlso' | 'deadlinesMs' | 'drainMs' | 'rateLimitPerSecond'>
  log: Logger
  /** By operation name: the socket.io events that there are. */
  contracts: ReadonlyMap<string, Operation>
  /** The way to the functions. */
  request: Transport['request']
  watchFeeds: WatchFeeds
  now: () => Date
  newId: () => string
}

export interface Gateway {
  /** Answers the port, which the system chose where the configured one is 0. */
  listen(): Promise<number>
  /** Calls back, once, when this worker can't be reached any more though it runs. */
  watchDoor(closed: () => void): void
  /** Stops accepting connections, hands every client over without losing a request, closes. Ends within `drainMs`. */
  drain(): Promise<void>
}

/** The socket.io facade: who connects, what they may send, and when they have to go. Holds no state worth keeping. */
export function createGateway(options: GatewayOptions): Gateway {
  const { config, log, newId, now } = options
  const sessions = new Set<SocketSession>()
  const limits = createLimits(config.rateLimitPerSecond)
  const meter = createMeter(log, () => sessions.size)
  const call = createSystemCall(options)
  const authority = createAuthority({
    lookUpRole: createRoleLookup({ config, call }),
    listChanges: (afterMs) => call(users.listAccessChanges, { afterMs }),
    log,
    now,
  })
  const openApiKey = createApiKeys({ call, now })
  const sharing = shareUse({ limits, call, worker: newId(), log })
  const dispatch: Dispatch = meter.measured(createDispatch({ ...options, roleFor: authority.roleFor }))
  const gone = new WeakMap<Socket, AbortController>()
  const tried = new WeakSet<object>()
  let draining: Promise<void> | undefined
  let onEmpty = (): void => {}
  let door: ReturnType<typeof watchDoor> | undefined

  const repeats = createRepeats(log)
  const connections = createGuardedServer(
    (request, response) => answerHttp(request, response, draining !== undefined),
    { ratePerSecond: config.rateLimitPerSecond, repeats },
  )
  const http = connections.server
  const io = new Server(http, {
    // Requests of one connection reach one worker whatever the balancer does, so no sticky sessions are needed.
    transports: ['websocket'],
    serveClient: false,
    connectTimeout: CONNECT_TIMEOUT_MS,
    maxHttpBufferSize: MAX_MESSAGE_BYTES,
    parser: limitedParser,
    allowRequest: (request, decide) => {
      const { origin, host } = request.headers
      const allowed = originAllowed(origin, host, config.gateway.allowedOrigins)
      if (!allowed) repeats.note('origin', request.socket.remoteAddress, { origin })
      decide(null, allowed)
    },
  })

  const outgoing = countOutgoing(io, repeats)
  refusePolling(io, newId)
  const feeds = createGatewayFeeds({ ...options, io, watch: options.watchFeeds })

  io.use((socket, next) => {
    admit(socket).then(
      () => next(),
      (error: unknown) => {
        next(connectError(error, socket))
        setTimeout(() => socket.conn.close(), FAREWELL_MS).unref()
      },
    )
  })
  const operations = describe(options.contracts)
  io.on('connection', (socket) => {
    connections.keep(socket.request.socket)
    socket.emit('operations', operations)
    const sender = socket.data as Sender
    const session = createSession({ ...options, socket, sender, dispatch })
    sessions.add(session)
    const unwatch = listen(socket, sender)
    socket.on('disconnect', (reason) => {
      gone.get(socket)?.abort()
      unwatch()
      sender.feeds.close(reason !== 'client namespace disconnect')
      sessions.delete(session)
      if (sessions.size === 0) onEmpty()
    })
    if (draining) session.drain()
  })

  /** The user's news come once its token is known to work, and as long as it does. */
  function listen(socket: Socket, { claims, feeds }: Sender): () => void {
    if (!claims) return () => {}
    return authority.watch({
      claims,
      authorised: () => {
        if (!claims.apiKey || coveredBy(claims.apiKey.scopes, NEWS)) feeds.followUser(claims.userId)
      },
      ended(reason) {
        feeds.close(false)
        socket.emit('session:ended', reason.toPublic(newId()))
        // One that has expired may get its next token here; one that was revoked, perhaps by itself, is answered that yet.
        if (claims.expiresAt > now()) setTimeout(() => socket.disconnect(true), LAST_ANSWERS_MS).unref()
      },
    })
  }

  /** Before anything that costs more than the look at its address: whoever comes too often is sent away unread. */
  async function admit(socket: Socket): Promise<void> {
    // One try a connection: what costs a signature must cost a connection too.
    if (tried.has(socket.conn)) throw new Refusal('rate_limited', 'One try a connection.', { retryAfterMs: 1000 })
    tried.add(socket.conn)
    const own = limits.admit(socket.handshake.address)
    if (!own) throw new Refusal('rate_limited', 'Too many connections from this address.', { retryAfterMs: 1000 })
    if (socket.conn.readyState === 'open') socket.conn.once('close', own.release)
    else own.release()
    try {
      const claims = await identify(socket.handshake.auth.token)
      const comeback = comebackShape.safeParse(socket.handshake.auth)
      if (!comeback.success) throw invalidInput(comeback.error)
      if (claims) own.signedIn(claims.userId)
      Object.assign(socket.data as object, sender(socket, claims, own, comeback.data))
    } catch (error) {
      own.charge(COST_OF_A_BAD_HANDSHAKE)
      throw error
    }
  }

  function sender(socket: Socket, claims: TokenClaims | null, own: SocketLimits, comeback: Comeback): Sender {
    const out = outgoing.of(socket)
    const leaving = new AbortController()
    setMaxListeners(0, leaving.signal)
    gone.set(socket, leaving)
    const address = network(socket.handshake.address)
    return {
      claims,
      limits: own,
      address,
      feeds: feeds.of(socket, comeback, createPace(own, out, leaving.signal)),
      outgoing: out,
      gone: leaving.signal,
    }
  }

  async function identify(token: unknown): Promise<TokenClaims | null> {
    if (token === undefined || token === null) return null
    if (typeof token !== 'string') throw new Refusal('unauthenticated', 'The token is not valid.')
    return (await openApiKey(token)) ?? verifyToken(token, config, now())
  }

  function connectError(error: unknown, { handshake }: Socket): Error {
    const requestId = newId()
    const shown = toPublicError(error, requestId)
    if (shown.code === 'internal') log.error({ err: error, requestId }, 'handshake failed')
    else repeats.note(`handshake: ${shown.code}`, handshake.address, { requestId })
    return Object.assign(new Error(shown.message), { data: shown })
  }

  async function drain(): Promise<void> {
    log.info({ sockets: sessions.size }, 'draining')
    door?.stop()
    http.close()
    http.closeIdleConnections()
    for (const session of sessions) session.drain()
    const abandon = setTimeout(() => {
      log.warn({ sockets: sessions.size }, 'drain time is up')
      for (const session of sessions) session.abandon()
    }, config.drainMs - FAREWELL_MS)
    // The connection, not the socket: a socket that the server disconnects does not reconnect by itself.
    const stillThere = setTimeout(() => io.sockets.sockets.forEach(({ conn }) => conn.close(true)), config.drainMs)
    await new Promise<void>((resolve) => {
      onEmpty = resolve
      if (sessions.size === 0) resolve()
    })
    clearTimeout(abandon)
    clearTimeout(stillThere)
    meter.stop()
    authority.stop()
    sharing.stop()
    repeats.stop()
    feeds.close()
    await io.close()
    log.info('drained')
  }

  return {
    listen: () =>
      new Promise((resolve, reject) => {
        http.once('error', reject)
        http.listen(config.gateway.port, config.gateway.host, () => resolve((http.address() as AddressInfo).port))
      }),
    watchDoor(closed) {
      const { port } = http.address() as AddressInfo
      door = watchDoor({ host: config.gateway.host, port, arrived: connections.arrived, closed })
    },
    drain: () => (draining ??= drain()),
  }
}

/** What a client must know to send a request again safely. It changes with a release, so each connection is told. */
const describe = (contracts: ReadonlyMap<string, Operation>): object =>
  Object.fromEntries(
    [...contracts.values()]
      .filter(({ access }) => access !== 'internal')
      .map(({ name, idempotent, newId }) => [name, { idempotent, ...(newId && { newId }) }]),
  )

/** `/status` is for load balancers; there is nothing else here. */
function answerHttp(request: IncomingMessage, response: ServerResponse, draining: boolean): void {
  const reply = (code: number, body: object): void => {
    response.writeHead(code, { 'content-type': 'application/json', ...(draining && { connection: 'close' }) })
    response.end(JSON.stringify(body))
  }
  if (request.url?.split('?')[0] !== '/status') {
    reply(404, { message: 'Nothing here. Connect with socket.io, websocket transport only.' })
  } else if (draining) {
    reply(503, { status: 'DRAINING', message: 'This worker takes no new connections.' })
  } else {
    reply(200, { status: 'OK', message: 'This worker takes connections; getStatus tells about the functions.' })
  }
}

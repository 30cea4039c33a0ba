import type { Node } from '@dashersw/node-discover'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import type { Config } from '../../config/index.js'
import { HostComponent, startDiscovery, type Hello } from './components.js'
import { createDelayMeter } from './delay.js'
import { openSession, type HostSession } from './session.js'
import { Refusal, toPublicError, type Result } from '../contract/errors.js'
import type { Logger } from '../lib/log.js'
import type { LogOnce } from '../lib/logOnce.js'
import type { Envelope, PeerHealth } from '../runtime/transport.js'

/** What a process offers to others. */
export interface Hosting {
  /** PM2 app. */
  app: string
  /** `<domain>.<operation>` */
  operations: readonly string[]
  /** `isWanted`: whether anybody still waits for the answer. */
  handle(envelope: Envelope, isWanted: () => boolean): Promise<Result<unknown>>
  health(): Promise<PeerHealth>
}

/** What a caller sends. */
type FromCaller =
  | { call: number; envelope: Envelope; /** By the caller's clock. */ sentAtMs: number }
  | { abandoned: number }
  | { health: number }
  | { ping: true }
  | { hear: true }

/** What is known of a caller's connection. */
interface Link {
  session: HostSession
  /** The calls that are under way. Those whose caller has left are not in it any more. */
  wanted: Set<number>
  hears: boolean
  delayOf(sentAtMs: number): number
}

const MAX_CONNECTIONS = 1000
const HELLO_ANSWER_MS = 20
const RETRY_FULL_AFTER_MS = 1000

export interface CoteHost {
  id: string
  /** To every caller that hears. */
  tell(hint: unknown): void
  /** Takes no new callers, answers what the present ones still send, resolves when the last has left, or at the latest then. */
  drain(timeoutMs: number): Promise<void>
  close(): void
}

/** The answering half of a process. */
export async function createHost(config: Config, log: Logger, logOnce: LogOnce, hosting: Hosting): Promise<CoteHost> {
  const links = new Set<Link>()
  let underWay = 0
  let draining = false
  let lastLeft = () => {}

  const server = createServer({ noDelay: true })
  server.maxConnections = MAX_CONNECTIONS
  // Port 0: the operating system knows which is free, and callers learn it from the hello.
  server.listen(0, config.functions.host)
  await once(server, 'listening')
  server.on('error', (error) => logOnce('cannot accept', hosting.app, error))

  const { app, operations } = hosting
  const { port } = server.address() as AddressInfo
  const component = new HostComponent(
    { app, operations: [...operations], host: config.functions.advertise, port, draining: false },
    config,
  )
  component.sock.on('connect', (socket: Socket) => accept(socket))
  component.adopt(server)
  const discovery = await startDiscovery(component, config, logOnce)

  let answering: NodeJS.Timeout | undefined
  discovery.on('helloReceived', ({ advertisement }: Node<Hello['advertisement']>) => {
    if (advertisement.axon_type !== component.oppo) return
    // Someone looks for hosts. One answer does for all that look at the same time.
    answering ??= setTimeout(() => {
      answering = undefined
      discovery.hello()
    }, HELLO_ANSWER_MS)
  })

  return {
    id: discovery.me.id,
    tell(hint) {
      for (const { hears, session } of links) if (hears && !session.full) session.send({ hint })
    },
    async drain(timeoutMs) {
      draining = true
      discovery.me.advertisement['draining'] = true
      discovery.hello()
      server.close()
      for (const { session } of links) {
        if (session.ready) session.send({ goodbye: true })
        else session.destroy()
      }
      if (links.size === 0) return
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs)
        lastLeft = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    },
    close() {
      clearTimeout(answering)
      for (const { session } of links) session.destroy()
      component.close()
    },
  }

  function accept(socket: Socket): void {
    const session = openSession({
      socket,
      side: 'host',
      secret: config.clusterSecret,
      onReady(ready) {
        if (draining) ready.send({ goodbye: true })
      },
      onMessage: (message) => void receive(link, message as FromCaller),
      onViolation: (kind) => logOnce(kind, socket.remoteAddress ?? 'unknown'),
    })
    const link: Link = { session, wanted: new Set(), hears: false, delayOf: createDelayMeter() }
    links.add(link)
    socket.once('close', () => {
      link.wanted.clear()
      links.delete(link)
      if (links.size === 0) lastLeft()
    })
  }

  async function receive(link: Link, message: FromCaller): Promise<void> {
    const { session, wanted } = link
    if ('abandoned' in message) return void wanted.delete(message.abandoned)
    if ('hear' in message) return void (link.hears = true)
    if ('ping' in message) return session.send({ pong: true })
    if ('health' in message) return session.send({ health: message.health, answer: await hosting.health() })
    const { call } = message
    const refuse = (code: 'rate_limited' | 'deadline_exceeded', why: string) => {
      const refusal = new Refusal(code, why, { retryAfterMs: RETRY_FULL_AFTER_MS })
      return { reply: call, result: { ok: false, error: refusal.toPublic(message.envelope.requestId) } }
    }
    if (session.full) {
      logOnce('peer reads too slowly', hosting.app)
      return session.send(refuse('rate_limited', 'Too many answers wait to be read: it was not begun.'))
    }
    const envelope = { ...message.envelope, ttlMs: message.envelope.ttlMs - link.delayOf(message.sentAtMs) }
    wanted.add(call)
    underWay++
    try {
      const result = await hosting.handle(envelope, () => wanted.has(call)).finally(() => underWay--)
      session.send({ reply: call, result, underWay }, () =>
        refuse('deadline_exceeded', 'Too many answers wait to be read; its outcome is unknown.'),
      )
    } catch (error) {
      // handle never rejects: its answer was none that JSON can carry.
      log.error({ err: error, operation: envelope.operation, requestId: envelope.requestId }, 'unanswerable')
      session.send({ reply: call, result: { ok: false, error: toPublicError(error, envelope.requestId) } })
    } finally {
      wanted.delete(call)
    }
  }
}

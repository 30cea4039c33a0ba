import type { Node } from '@dashersw/node-discover'
import type { Config } from '../../config/index.js'
import { choose, type Candidate } from './choice.js'
import { CallerComponent, startDiscovery, type Hello } from './components.js'
import { openSession, type HostSession } from './session.js'
import { Refusal, type ErrorCode, type Result } from '../contract/errors.js'
import type { Logger } from '../lib/log.js'
import type { LogOnce } from '../lib/logOnce.js'
import type { Envelope, Hearer, Peer, PeerHealth, Transport } from '../runtime/transport.js'

/** Calls that wait for a host to appear. Beyond, the system is down rather than late, and memory has an end. */
const MAX_WAITING = 10_000
/** A call that was sent to a host that died with it, so often, may be what kills them. */
const MAX_ATTEMPTS = 3
const HEALTH_TIMEOUT_MS = 1000
const RETRY_MIN_MS = 50
const RETRY_MAX_MS = 1000
/**
 * Silence is counted in ticks of our own clock, so that time in which this process itself stood still does not count.
 * A host whose hello is late (discovery may be down, and the host well) is asked over its connection. Nothing heard for
 * SILENT_TICKS: no new calls. For DEAD_TICKS: the connection is given up.
 */
const TICK_MS = 1000
const LATE_TICKS = 3
const SILENT_TICKS = 6
const DEAD_TICKS = 30
/** Who was sent a call and says nothing at all for so long is asked, and gets no calls that another one could have. */
const STUCK_MS = 500
/** A host says with each answer how many calls are under way there. */
const TOLD_HOLDS_MS = 500

interface Call {
  id: number
  envelope: Envelope
  idempotent: boolean
  key: string | undefined
  expiresAt: number
  attempts: number
  /** Where it was sent; null: it waits. */
  link: Link | null
  timer: NodeJS.Timeout
  resolve(result: Result<unknown>): void
}

interface Link extends Candidate {
  host: Host
  /** How many calls are under way there, of all callers; and when it said so. */
  told: number
  toldAt: number
  /** When it was sent the first call since it was heard. */
  askedAt: number
  session: HostSession
  calls: Map<number, Call>
  healthAsks: Map<number, (health: PeerHealth | undefined) => void>
}

/** A process that hosts functions. */
interface Host extends Peer {
  id: string
  address: string
  port: number
  draining: boolean
  silent: boolean
  helloAt: number
  checkedAt: number
  quietTicks: number
  link: Link | null
  retry: NodeJS.Timeout | undefined
  retryMs: number
}

/** Where an operation's calls go. */
interface Route {
  links: Link[]
  turn: number
}

/** What a host sends. */
type FromHost =
  | { reply: number; result: Result<unknown>; /** Calls, of all callers. */ underWay?: number }
  | { health: number; answer: PeerHealth }
  | { goodbye: true }
  | { pong: true }
  | { hint: unknown }

export interface CoteCaller extends Pick<Transport, 'request' | 'hear' | 'peers' | 'health'> {
  /** The host of this very process is no peer. */
  ignore(hostId: string): void
  close(): void
}

/** The calling half of a process: keeps one connection to every host, and chooses one for each call. */
export async function createCaller(config: Config, log: Logger, logOnce: LogOnce): Promise<CoteCaller> {
  const component = new CallerComponent(config)
  const hosts = new Map<string, Host>()
  const ignored = new Set<string>()
  const routes = new Map<string, Route>()
  const waiting = new Map<string, Set<Call>>()
  let waitingCount = 0
  let lastId = 0
  let closed = false
  let hearer: Hearer | undefined

  const discovery = await startDiscovery(component, config, logOnce)
  discovery.on('helloReceived', (node: Node<Hello['advertisement']>) => heard(node))
  discovery.hello()
  const ticker = setInterval(tick, TICK_MS)

  return {
    request(envelope, { idempotent, key, signal }) {
      return new Promise((resolve) => {
        const abandoned = () => abandon(call)
        const call: Call = {
          id: ++lastId,
          envelope,
          idempotent,
          key,
          expiresAt: performance.now() + envelope.ttlMs,
          attempts: 0,
          link: null,
          timer: setTimeout(() => expire(call), envelope.ttlMs),
          resolve(result) {
            signal?.removeEventListener('abort', abandoned)
            resolve(result)
          },
        }
        signal?.addEventListener('abort', abandoned)
        if (closed) settle(call, 'unavailable', 'This process is stopping.')
        else if (signal?.aborted) settle(call, 'deadline_exceeded', 'Nobody waits for the answer: it was not sent.')
        else if (envelope.ttlMs <= 0) settle(call, 'deadline_exceeded', 'No time was left to send the call.')
        else dispatch(call)
      })
    },
    hear(by) {
      hearer = by
      for (const { link } of hosts.values()) if (link?.session.ready) startHearing(link)
    },
    peers: () => usableHosts().map(({ app, operations }) => ({ app, operations })),
    async health() {
      const answers = await Promise.all(usableHosts().map(({ link }) => askHealth(link as Link)))
      return answers.filter((answer) => answer !== undefined)
    },
    ignore(hostId) {
      ignored.add(hostId)
      const host = hosts.get(hostId)
      if (host) drop(host)
    },
    close() {
      closed = true
      clearInterval(ticker)
      for (const set of waiting.values())
        for (const call of set) settle(call, 'unavailable', 'This process is stopping.')
      for (const host of hosts.values()) drop(host)
      component.close()
    },
  }

  // --- calls

  function dispatch(call: Call): void {
    const { operation } = call.envelope
    const route = routes.get(operation)
    if (!route?.links.length) return wait(call)
    const link = choose(candidatesOf(route), call.key, route.turn++)
    if (!link)
      return settle(call, 'unavailable', `What hosts ${operation} has too many calls to read: it was not sent.`)
    // A span, because the host's clock may differ; what is left of it, because the call may have waited.
    const ttlMs = Math.max(1, Math.round(call.expiresAt - performance.now()))
    call.link = link
    call.attempts++
    const sentAtMs = performance.now()
    if (link.askedAt <= link.session.lastHeardAt) link.askedAt = sentAtMs
    link.calls.set(call.id, call)
    try {
      link.session.send({ call: call.id, envelope: { ...call.envelope, ttlMs }, sentAtMs })
    } catch (error) {
      log.error({ err: error, operation, requestId: call.envelope.requestId }, 'unsendable')
      settle(call, 'internal', 'The call can not be sent.')
    }
  }

  /** Those that have left too much unread get time to read it; those that seem stuck, to prove that they are not. */
  function candidatesOf({ links }: Route): Link[] {
    if (links.length === 1 && !links[0]?.session.full) return links
    const open = links.filter(({ session }) => !session.full)
    const answering = open.filter((link) => !seemsStuck(link))
    return answering.length > 0 ? answering : open
  }

  function seemsStuck({ askedAt, session }: Link): boolean {
    return askedAt > session.lastHeardAt && performance.now() - askedAt > STUCK_MS
  }

  function wait(call: Call): void {
    const { operation } = call.envelope
    if (waitingCount >= MAX_WAITING) return settle(call, 'unavailable', `Nothing hosts ${operation} at present.`)
    const set = waiting.get(operation) ?? new Set()
    if (set.size === 0) {
      waiting.set(operation, set)
      // Hosts answer a hello at once: whoever is there is known in milliseconds.
      discovery.hello()
    }
    set.add(call)
    waitingCount++
  }

  function expire(call: Call): void {
    const { operation } = call.envelope
    if (call.attempts > 0)
      settle(call, 'deadline_exceeded', `${operation} did not answer in time; its outcome is unknown.`)
    else settle(call, 'unavailable', `Nothing hosts ${operation} at present.`)
  }

  /** Where it runs already it goes on, and its answer ends it as that of any other call. */
  function abandon(call: Call): void {
    if (call.link) call.link.session.send({ abandoned: call.id })
    else settle(call, 'deadline_exceeded', 'Nobody waits for the answer: it was not sent.')
  }

  function settle(call: Call, code: ErrorCode, message: string): void {
    const error = new Refusal(code, message).toPublic(call.envelope.requestId)
    finish(call, { ok: false, error })
  }

  function finish(call: Call, result: Result<unknown>): void {
    clearTimeout(call.timer)
    if (call.link) {
      call.link.calls.delete(call.id)
      endIfDone(call.link)
    } else stopWaiting(call)
    call.resolve(result)
  }

  function stopWaiting(call: Call): void {
    const set = waiting.get(call.envelope.operation)
    if (!set?.delete(call)) return
    waitingCount--
    if (set.size === 0) waiting.delete(call.envelope.operation)
  }

  function lost(call: Call): void {
    call.link = null
    if (call.idempotent && call.attempts < MAX_ATTEMPTS && !closed) return dispatch(call)
    settle(call, 'unavailable', `The connection broke while ${call.envelope.operation} ran; its outcome is unknown.`)
  }

  // --- hosts

  function heard({ id, advertisement }: Node<Hello['advertisement']>): void {
    if (advertisement.axon_type !== component.oppo || ignored.has(id) || closed) return
    const { app, operations, host: address, port, draining } = advertisement as Required<Hello['advertisement']>
    let host = hosts.get(id)
    if (!host) {
      if (draining) return
      host = {
        ...{ id, app, operations, address, port, draining, silent: false, helloAt: 0, checkedAt: 0, quietTicks: 0 },
        ...{ link: null, retry: undefined, retryMs: RETRY_MIN_MS },
      }
      hosts.set(id, host)
      connect(host)
    }
    host.helloAt = performance.now()
    if (draining) leave(host)
    else if (host.silent) {
      host.silent = false
      host.quietTicks = 0
      reroute()
    }
  }

  function connect(host: Host): void {
    const socket = component.connect(host.port, host.address)
    const link: Link = {
      id: host.id,
      get underWay() {
        const told = performance.now() - this.toldAt < TOLD_HOLDS_MS ? this.told : 0
        return Math.max(told, this.calls.size)
      },
      told: 0,
      toldAt: -Infinity,
      askedAt: -Infinity,
      host,
      calls: new Map(),
      healthAsks: new Map(),
      session: openSession({
        socket,
        side: 'caller',
        secret: config.clusterSecret,
        onReady() {
          host.retryMs = RETRY_MIN_MS
          startHearing(link)
          reroute()
        },
        onMessage: (message) => receive(link, message as FromHost),
        onViolation: (kind) => logOnce(kind, host.address),
      }),
    }
    host.link = link
    socket.once('close', () => {
      host.link = null
      reroute()
      for (const answer of link.healthAsks.values()) answer(undefined)
      for (const call of link.calls.values()) lost(call)
      if (host.draining || hosts.get(host.id) !== host) return
      host.retry = setTimeout(() => connect(host), host.retryMs)
      host.retryMs = Math.min(RETRY_MAX_MS, 2 * host.retryMs)
    })
  }

  function startHearing({ session }: Link): void {
    if (!hearer) return
    session.send({ hear: true })
    hearer.connected()
  }

  function receive(link: Link, message: FromHost): void {
    if ('reply' in message) {
      if (message.underWay !== undefined) Object.assign(link, { told: message.underWay, toldAt: performance.now() })
      // A late reply finds no call: it was settled when its deadline passed.
      const call = link.calls.get(message.reply)
      if (call) finish(call, message.result)
    } else if ('health' in message) link.healthAsks.get(message.health)?.(message.answer)
    else if ('hint' in message) hearer?.told(message.hint)
    else if ('goodbye' in message) leave(link.host)
  }

  /** No new calls; the connection ends with the last answer, which is how the host knows that it may go. */
  function leave(host: Host): void {
    if (host.draining) return
    host.draining = true
    clearTimeout(host.retry)
    reroute()
    if (host.link) endIfDone(host.link)
  }

  function endIfDone({ host, calls, session }: Link): void {
    if (host.draining && calls.size === 0) session.end()
  }

  function drop(host: Host): void {
    hosts.delete(host.id)
    clearTimeout(host.retry)
    host.link?.session.destroy()
    reroute()
  }

  function usableHosts(): Host[] {
    return [...hosts.values()].filter(({ link, draining, silent }) => link?.session.ready && !draining && !silent)
  }

  function reroute(): void {
    for (const route of routes.values()) route.links = []
    for (const { link, operations } of usableHosts()) {
      for (const operation of operations) {
        const route = routes.get(operation) ?? { links: [], turn: 0 }
        routes.set(operation, route)
        route.links.push(link as Link)
      }
    }
    for (const [operation, calls] of waiting) {
      if (!routes.get(operation)?.links.length) continue
      for (const call of calls) {
        stopWaiting(call)
        dispatch(call)
      }
    }
  }

  function tick(): void {
    for (const host of hosts.values()) {
      const heardAt = Math.max(host.helloAt, host.link?.session.lastHeardAt ?? 0)
      host.quietTicks = heardAt > host.checkedAt ? 0 : host.quietTicks + 1
      host.checkedAt = performance.now()
      const silent = host.quietTicks >= SILENT_TICKS
      if (silent !== host.silent) {
        host.silent = silent
        reroute()
      }
      const isLate = host.quietTicks >= LATE_TICKS || (host.link !== null && seemsStuck(host.link))
      if (isLate && host.link?.session.ready) host.link.session.send({ ping: true })
      if (silent && (!host.link?.session.ready || host.quietTicks >= DEAD_TICKS)) drop(host)
    }
    if (waitingCount > 0) discovery.hello()
  }

  function askHealth(link: Link): Promise<PeerHealth | undefined> {
    return new Promise((resolve) => {
      const id = ++lastId
      const answer = (health: PeerHealth | undefined) => {
        clearTimeout(timer)
        link.healthAsks.delete(id)
        resolve(health)
      }
      const timer = setTimeout(() => answer(undefined), HEALTH_TIMEOUT_MS)
      link.healthAsks.set(id, answer)
      link.session.send({ health: id })
    })
  }
}

import type { Socket } from 'socket.io'
import { toPublicError, Refusal, type Result } from '../platform/contract/errors.js'
import type { Operation } from '../platform/contract/contract.js'
import type { Logger } from '../platform/lib/log.js'
import type { Dispatch, Sender } from './dispatch.js'
import { handOver } from './handover.js'
import { costOf } from './limits.js'

/**
 * How long a draining socket may stay silent before it is closed without an answer to close it with. Whoever sends more
 * often than that is handed over with an answer, where nothing can be lost.
 */
const SILENCE_MS = 2000
/**
 * No answer but the last ones went out for so long: a request that its client sent on an answer from before has arrived,
 * so that what looks like the last request in flight is.
 */
const QUIET_MS = 100
/** Answers wait no longer than this for the socket's other requests to end. */
const HOLD_MS = 1000
/** How long a client may take to leave by itself. */
const LEAVE_MS = 1000

type Answer = (result: Result<unknown>) => void

/** One connected socket. */
export interface SocketSession {
  /** Serves until a moment comes when the client can be handed over to another worker without losing a request. */
  drain(): void
  /** The time for that is up: tells whoever still waits, and closes. */
  abandon(): void
}

export function createSession(options: {
  socket: Socket
  sender: Sender
  dispatch: Dispatch
  contracts: ReadonlyMap<string, Operation>
  log: Logger
  newId: () => string
}): SocketSession {
  const { socket, sender, dispatch, contracts, log, newId } = options
  const waiting = new Map<string, Answer>()
  let held: (() => void)[] = []
  let lastAnswerAtMs = 0
  let phase: 'serving' | 'draining' | 'left' = 'serving'
  const timers = new Set<NodeJS.Timeout>()

  // The middleware never calls next(): left to socket.io's emitter, an event named 'error' would throw.
  socket.use((event) => void receive(event))
  socket.on('error', (err) => log.debug({ err, socketId: socket.id }, 'bad packet'))
  socket.on('disconnect', (reason) => {
    log.debug({ socketId: socket.id, reason }, 'disconnected')
    for (const timer of timers) clearTimeout(timer)
  })

  async function receive([operation, ...args]: unknown[]): Promise<void> {
    const requestId = newId()
    const answer = args.at(-1)
    if (typeof answer !== 'function') {
      log.debug({ socketId: socket.id, requestId }, 'dropped: no acknowledgement asked for')
      if (sender.limits.take(false) > 0) cutOffWhenFlooding()
      return
    }
    waiting.set(requestId, answer as Answer)
    const result = await dispatch({ operation, args: args.slice(0, -1), requestId }, sender)
    settle(requestId, result, typeof operation === 'string' ? contracts.get(operation) : undefined)
    if (!result.ok && result.error.code === 'rate_limited') cutOffWhenFlooding()
  }

  function settle(requestId: string, result: Result<unknown>, operation?: Operation): void {
    const answer = waiting.get(requestId)
    if (!waiting.delete(requestId) || !answer) return
    if (phase === 'draining') {
      held.push(() => answer(result))
      if (held.length === 1) after(HOLD_MS, release)
      leaveWhenQuiet()
    } else {
      lastAnswerAtMs = performance.now()
      const before = sender.outgoing.sentBytes()
      answer(result)
      const sent = sender.outgoing.sentBytes() - before
      // To whoever has left nothing is sent any more, but it was made for them all the same.
      const cost = costOf(sent > 0 ? sent : Buffer.byteLength(JSON.stringify(result)))
      sender.limits.charge(cost * (operation?.costly ?? 1), operation?.name)
    }
  }

  /** A client that does not listen to rate_limited costs more than it is worth. */
  function cutOffWhenFlooding(): void {
    if (!sender.limits.refused() || !socket.connected) return
    log.warn(
      { socketId: socket.id, address: socket.handshake.address, userId: sender.claims?.userId },
      'flood: cut off',
    )
    socket.disconnect(true)
  }

  function release(): void {
    lastAnswerAtMs = performance.now()
    const answers = held
    held = []
    for (const answer of answers) answer()
  }

  function leaveWhenQuiet(): void {
    if (waiting.size > 0 || held.length === 0) return
    const restMs = QUIET_MS - (performance.now() - lastAnswerAtMs)
    if (restMs <= 0) leave()
    else after(restMs, leaveWhenQuiet)
  }

  function leave(): void {
    if (phase === 'left') return
    phase = 'left'
    handOver(socket, held)
    held = []
    after(LEAVE_MS, () => socket.conn.close())
  }

  function after(ms: number, action: () => void): void {
    const timer = setTimeout(() => {
      timers.delete(timer)
      action()
    }, ms)
    timers.add(timer)
  }

  return {
    drain() {
      if (phase !== 'serving') return
      phase = 'draining'
      after(SILENCE_MS, () => {
        if (waiting.size === 0) leave()
      })
    },
    abandon() {
      for (const requestId of [...waiting.keys()]) {
        const refusal = new Refusal('unavailable', 'The gateway restarts; the outcome is unknown. Send it again.')
        settle(requestId, { ok: false, error: toPublicError(refusal, requestId) })
      }
      leave()
    },
  }
}

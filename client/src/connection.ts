import { io, type Socket } from 'socket.io-client'
import { CallError, lost, retryAfterMs, type PublicError } from './errors.js'

const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 2000

/** A token, or how to get one: asked before each connect, and once more when the server refuses the one at hand. */
export type Token = string | (() => string | Promise<string>)

export type Status =
  | { state: 'connecting' | 'online' }
  /** It reconnects by itself. */
  | { state: 'offline'; reason: string }
  /** The server does not take the token, or this client was closed: nothing more comes. */
  | { state: 'closed'; reason: string }

/** What the gateway tells about its operations after each connect. */
export type Told = Record<string, { idempotent: boolean; newId?: string }>

export interface Connection {
  socket: Socket
  status(): Status
  onStatus(listener: (status: Status) => void): () => void
  /** Waits until the gateway has said what it knows. Throws a CallError where it refuses, or says nothing in time. */
  ready(timeoutMs: number): Promise<Told>
  /** Why nothing more will come, if so. */
  refused(): CallError | undefined
  /** Connects anew with a fresh token; false where the token is a text, which would only be refused again. */
  renew(): boolean
  /** Adds to what the handshake says: where a followed feed goes on. */
  comeback: { lastSeq?: number; lobbies: Record<string, number> }
  close(): void
}

export function openConnection(url: string, token: Token | undefined): Connection {
  const comeback: Connection['comeback'] = { lobbies: {} }
  const listeners = new Set<(status: Status) => void>()
  const waiting = new Set<() => void>()
  let told: Told | undefined
  let refusal: CallError | undefined
  let status: Status = { state: 'connecting' }
  /** A fresh token was refused too: asking for another one would go on for ever. */
  let renewed = false

  const socket: Socket = io(url, {
    transports: ['websocket'],
    forceNew: true,
    reconnectionDelay: FIRST_PAUSE_MS,
    reconnectionDelayMax: LONGEST_PAUSE_MS,
    auth: (send) => void handshake().then(send, (error: unknown) => end(tokenFailed(error))),
  })

  async function handshake(): Promise<object> {
    const current = typeof token === 'function' ? await token() : token
    return { ...(current !== undefined && { token: current }), ...comeback }
  }

  function become(next: Status): void {
    status = next
    for (const each of [...listeners]) each(next)
  }

  function end(error: CallError): void {
    if (refusal) return
    refusal = error
    become({ state: 'closed', reason: error.message })
    for (const each of [...waiting]) each()
    socket.disconnect()
  }

  socket.on('connect', () => become({ state: 'online' }))
  socket.on('disconnect', (reason) => {
    if (!refusal) become({ state: 'offline', reason })
  })
  socket.on('operations', (operations: Told) => {
    told = operations
    renewed = false
    for (const each of [...waiting]) each()
  })
  socket.on('connect_error', (error: Error & { data?: PublicError }) => {
    // Only a refusal by the gateway has data; everything else socket.io tries again by itself.
    if (!error.data) return become({ state: 'offline', reason: error.message })
    const again = error.data.retryable || (error.data.code === 'unauthenticated' && canRenew())
    if (!again) return end(new CallError(error.data))
    become({ state: 'offline', reason: error.data.message })
    setTimeout(() => {
      if (!refusal) socket.connect()
    }, retryAfterMs(error.data))
  })

  function canRenew(): boolean {
    if (typeof token !== 'function' || renewed) return false
    renewed = true
    return true
  }

  return {
    socket,
    comeback,
    status: () => status,
    onStatus(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    refused: () => refusal,
    renew() {
      if (!canRenew()) return false
      socket.disconnect().connect()
      return true
    },
    async ready(timeoutMs) {
      if (!told && !refusal) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(done, Math.max(0, timeoutMs))
          function done(): void {
            clearTimeout(timer)
            waiting.delete(done)
            resolve()
          }
          waiting.add(done)
        })
      }
      if (refusal) throw refusal
      if (!told) throw new CallError(lost('unavailable', `No answer from ${url}.`))
      return told
    },
    close: () => end(new CallError(lost('unavailable', 'This client was closed.', false))),
  }
}

const tokenFailed = (error: unknown): CallError =>
  new CallError({
    code: 'unauthenticated',
    message: `No token could be had: ${error instanceof Error ? error.message : String(error)}`,
    retryable: false,
    requestId: '',
  })

import { createSecretKey, randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { BadFrame, createFrameReader, deriveKey, encodeFrame, openFrame, type Key } from './frames.js'

/**
 * One authenticated connection between a caller and a host.
 *
 * Both ends prove that they know the cluster's secret before anything is said: the host sends a random number, the
 * caller answers with one of its own, and both derive the connection's key from the two. From then on each frame is
 * signed with that key, its direction and its number. So a frame that was recorded, forged, repeated, left out or
 * turned around does not verify, whatever the clocks of the two machines say and however often either restarts;
 * nothing has to be remembered about frames of the past.
 *
 *     host   -> caller  {hello: <random>}                    key of the cluster
 *     caller -> host    {hello: <random>, to: <the host's>}  key of the cluster
 *     host   -> caller  []                                   key of the connection: the caller may begin
 *     both              [message, ...]                       key of the connection
 */
export interface HostSession {
  /**
   * Sent with all else of this tick, in one frame under one signature. Throws where JSON can't carry it. Where it is
   * large and the peer has left too much unread, `inItsPlace` is sent instead.
   */
  send(message: unknown, inItsPlace?: () => unknown): void
  /** The peer has left so much unread that nothing should be begun whose outcome it would have to read too. */
  readonly full: boolean
  /** Has proved that it knows the secret. */
  readonly ready: boolean
  readonly lastHeardAt: number
  /** Sends what waits, then ends. */
  end(): void
  destroy(): void
}

export interface SessionOptions {
  socket: Socket
  side: 'caller' | 'host'
  secret: string
  onReady(session: HostSession): void
  onMessage(message: unknown): void
  /** The peer broke the rules; its connection is destroyed. */
  onViolation(kind: string): void
}

const HANDSHAKE_TIMEOUT_MS = 5000
/** Until the peer has proved who it is. */
const MAX_HELLO_BYTES = 200
const MAX_BODY_BYTES = 32 * 1024 * 1024
/** With what waits before it, it still fits into a body, whatever its characters. */
const MAX_MESSAGE_CHARS = 8 * 1024 * 1024
const FLUSH_AT_CHARS = 256 * 1024
/**
 * A peer that has left so much unread gets no more long messages. With what may still be made for it at that time, calls
 * under way of the longest kind, that stays in the memory that a process can spare for each of its peers.
 */
const FULL_AT_BYTES = 16 * 1024 * 1024
/** What is shorter gets through to a full peer too: refusals, and the outcomes of writes. */
const SHORT_CHARS = 16 * 1024
/** A peer that goes on asking, and reads not even refusals. */
const MAX_UNSENT_BYTES = 64 * 1024 * 1024

export function openSession(options: SessionOptions): HostSession {
  const { socket, side, onMessage, onViolation } = options
  const clusterKey = clusterKeyOf(options.secret)
  const challenge = randomBytes(16).toString('hex')
  const reader = createFrameReader()
  let key = clusterKey
  let step: 'hello' | 'confirm' | 'ready' = 'hello'
  let sent = 0
  let received = 0
  let outbox: string[] = []
  let outboxChars = 0
  let flushing = false
  let lastHeardAt = performance.now()

  const handshake = setTimeout(() => violate('silent connection'), HANDSHAKE_TIMEOUT_MS)
  socket.once('close', () => clearTimeout(handshake))

  const session: HostSession = {
    send(message, inItsPlace) {
      let text = JSON.stringify(message)
      if (inItsPlace && text.length > SHORT_CHARS && isFull()) text = JSON.stringify(inItsPlace())
      if (text.length > MAX_MESSAGE_CHARS) throw new RangeError(`A message of ${text.length} characters is too long`)
      outbox.push(text)
      outboxChars += text.length
      if (outboxChars >= FLUSH_AT_CHARS) flush()
      else if (!flushing) {
        flushing = true
        // What this turn of the event loop brings, many answers of the database say, leaves as one frame.
        setImmediate(flush)
      }
    },
    get ready() {
      return step === 'ready'
    },
    get full() {
      return isFull()
    },
    get lastHeardAt() {
      return lastHeardAt
    },
    end() {
      flush()
      socket.end()
    },
    destroy() {
      socket.destroy()
    },
  }

  socket.on('data', (chunk: Buffer) => {
    lastHeardAt = performance.now()
    try {
      for (const frame of reader.read(chunk, () => (step === 'ready' ? MAX_BODY_BYTES : MAX_HELLO_BYTES))) {
        if (socket.destroyed) return
        const body = openFrame(key, `${side === 'host' ? 'caller' : 'host'}:${received++}:`, frame)
        if (body === undefined) return violate('forged message')
        accept(JSON.parse(body))
      }
    } catch (error) {
      if (error instanceof BadFrame) violate(error.message)
      else if (error instanceof SyntaxError) violate('not JSON')
      else throw error
    }
  })

  if (side === 'host') write(JSON.stringify({ hello: challenge }))
  return session

  function accept(body: unknown): void {
    if (step === 'ready') {
      for (const message of body as unknown[]) onMessage(message)
      return
    }
    const { hello, to } = body as { hello?: string; to?: string }
    if (side === 'host') {
      if (to !== challenge || typeof hello !== 'string') return violate('replayed message')
      rekey(challenge, hello)
      write('[]')
    } else if (step === 'hello') {
      if (typeof hello !== 'string') return violate('replayed message')
      write(JSON.stringify({ hello: challenge, to: hello }))
      rekey(hello, challenge)
      step = 'confirm'
      return
    }
    step = 'ready'
    clearTimeout(handshake)
    options.onReady(session)
  }

  function rekey(hostChallenge: string, callerChallenge: string): void {
    key = deriveKey(clusterKey, 'connection:', hostChallenge, ':', callerChallenge)
  }

  function isFull(): boolean {
    return socket.writableLength + outboxChars > FULL_AT_BYTES
  }

  function flush(): void {
    flushing = false
    if (!outbox.length) return
    const body = `[${outbox.join(',')}]`
    outbox = []
    outboxChars = 0
    if (!socket.writable) return
    write(body)
  }

  function write(body: string): void {
    socket.write(encodeFrame(key, `${side}:${sent++}:`, body))
    if (socket.writableLength > MAX_UNSENT_BYTES) violate('peer does not read')
  }

  function violate(kind: string): void {
    if (!socket.destroyed) onViolation(kind)
    socket.destroy()
  }
}

export const clusterKeyOf = (secret: string): Key => deriveKey(createSecretKey(Buffer.from(secret)), 'holdfast')

import { io, type Socket } from 'socket.io-client'
import type { bookings } from '../functions/bookings/contract.js'
import type { calendars } from '../functions/calendars/contract.js'
import type { events } from '../functions/events/contract.js'
import type { expirations } from '../functions/expirations/contract.js'
import type { lobbies } from '../functions/lobbies/contract.js'
import type { messages } from '../functions/messages/contract.js'
import type { orders } from '../functions/orders/contract.js'
import type { payments } from '../functions/payments/contract.js'
import type { platform } from '../functions/platform/contract.js'
import type { tickets } from '../functions/tickets/contract.js'
import type { trains } from '../functions/trains/contract.js'
import type { users } from '../functions/users/contract.js'
import type { CallInput, Output } from '../platform/contract/contract.js'
import type { ErrorCode, PublicError, Result } from '../platform/contract/errors.js'

/** Types alone: neither schemas nor anything else of the server ends up in a client. */
type Contracts = typeof bookings &
  typeof calendars &
  typeof events &
  typeof expirations &
  typeof lobbies &
  typeof messages &
  typeof orders &
  typeof payments &
  typeof platform &
  typeof tickets &
  typeof trains &
  typeof users

/** Internal operations are among the types, but the gateway knows none of them. */
export type OperationName = keyof Contracts
export type Input<N extends OperationName> = CallInput<Contracts[N]>
export type Data<N extends OperationName> = Output<Contracts[N]>

const DEADLINE_MS = 30_000
const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 2000

/** A refusal, as the server worded it; docs/errors.md says what to check for each code. */
export class CallError extends Error {
  override readonly name = 'CallError'
  readonly code: ErrorCode
  readonly details: Record<string, unknown> | undefined
  readonly retryable: boolean
  /** What operators find the request by; empty where none reached the server. */
  readonly requestId: string

  constructor({ code, message, details, retryable, requestId }: PublicError) {
    super(message)
    this.code = code
    this.details = details
    this.retryable = retryable
    this.requestId = requestId
  }
}

export interface Client {
  /**
   * Answers the operation's data, throws a CallError. Within `deadlineMs` (default 30 s) it waits for a connection and
   * sends retryable refusals and lost replies again, where that is safe: an id that the input leaves open is chosen
   * here, once, so that every attempt is the same request.
   */
  call<N extends OperationName>(operation: N, input: Input<N>, options?: { deadlineMs?: number }): Promise<Data<N>>
  close(): void
}

/** What the gateway tells about its operations after each connect. */
type Operations = Record<string, { idempotent: boolean; newId?: string }>

/**
 * Connects, anonymously without a token. Reconnects by itself until `close()`. Throws a CallError where the token is
 * refused, or where no gateway can be reached within `deadlineMs`.
 */
export async function connect(options: { url: string; token?: string; deadlineMs?: number }): Promise<Client> {
  const { url, token, deadlineMs = DEADLINE_MS } = options
  const socket: Socket = io(url, {
    transports: ['websocket'],
    forceNew: true,
    reconnectionDelay: FIRST_PAUSE_MS,
    reconnectionDelayMax: LONGEST_PAUSE_MS,
    ...(token !== undefined && { auth: { token } }),
  })
  let operations: Operations | undefined
  let refused: CallError | undefined
  const waiting = new Set<() => void>()
  const wake = (): void => waiting.forEach((each) => each())

  socket.on('operations', (told: Operations) => {
    operations = told
    wake()
  })
  // Only a refusal by the gateway has data; everything else socket.io tries again by itself.
  socket.on('connect_error', (error: Error & { data?: PublicError }) => {
    if (!error.data) return
    if (error.data.retryable) {
      setTimeout(() => {
        if (!refused) socket.connect()
      }, retryAfterMs(error.data))
    } else {
      refused = new CallError(error.data)
      wake()
    }
  })

  async function ready(timeoutMs: number): Promise<Operations> {
    if (!operations && !refused) {
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
    if (refused) throw refused
    if (!operations) throw new CallError(lost('unavailable', `No answer from ${url}.`))
    return operations
  }

  async function attempt(operation: string, input: unknown, timeoutMs: number): Promise<Result<unknown>> {
    try {
      return (await socket.timeout(timeoutMs).emitWithAck(operation, input)) as Result<unknown>
    } catch {
      if (refused) throw refused
      return { ok: false, error: lost('deadline_exceeded', 'The connection was lost; the outcome is unknown.') }
    }
  }

  const client: Client = {
    async call(operation, input, { deadlineMs: withinMs = deadlineMs } = {}) {
      const giveUpAtMs = performance.now() + withinMs
      const spec = (await ready(withinMs))[operation]
      const request = withId(input, spec?.newId)
      for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
        const result = await attempt(operation, request, Math.max(1, giveUpAtMs - performance.now()))
        if (result.ok) return result.data as never
        const { code, retryable } = result.error
        // What was rate_limited has not been done, so that is safe for every operation.
        const again = retryable && (spec?.idempotent === true || code === 'rate_limited')
        const waitMs = Math.max(pauseMs * (0.5 + Math.random() / 2), retryAfterMs(result.error))
        if (!again || performance.now() + waitMs >= giveUpAtMs) throw new CallError(result.error)
        await new Promise((resolve) => setTimeout(resolve, waitMs))
      }
    },
    close() {
      refused ??= new CallError({ ...lost('unavailable', 'This client was closed.'), retryable: false })
      wake()
      socket.disconnect()
    },
  }

  try {
    await ready(deadlineMs)
  } catch (error) {
    client.close()
    throw error
  }
  return client
}

/** 24 hex digits that begin with the time, as the server's own ids do. */
export function newId(): string {
  const random = crypto.getRandomValues(new Uint8Array(8))
  const seconds = Math.floor(Date.now() / 1000)
  return (
    seconds.toString(16).padStart(8, '0') + Array.from(random, (byte) => byte.toString(16).padStart(2, '0')).join('')
  )
}

const withId = (input: Record<string, unknown>, key: string | undefined): Record<string, unknown> =>
  key === undefined ? input : { ...input, [key]: input[key] ?? newId() }

const lost = (code: 'unavailable' | 'deadline_exceeded', message: string): PublicError => ({
  code,
  message,
  retryable: true,
  requestId: '',
})

const retryAfterMs = ({ details }: PublicError): number =>
  typeof details?.retryAfterMs === 'number' ? details.retryAfterMs : 0

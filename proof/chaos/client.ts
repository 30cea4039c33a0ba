import { setTimeout as sleep } from 'node:timers/promises'
import { io, type Socket } from 'socket.io-client'
import type { Result } from '../../platform/contract/errors.js'
import { count, tallyOf, type Answer, type Journal } from './journal.js'

/** Longer than a booking may take: after it an answer does not come any more, because its gateway is gone or frozen. */
const ANSWER_TIMEOUT_MS = 5000
/** As the typed client waits: whoever asks more often keeps the others waiting. */
const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 2000

/** A stock socket.io client that sends a request again until it has an end. */
export interface ChaosClient {
  /**
   * Answers undefined where the run ends before the request does. `repeated`: a request that was sent before, sent once
   * more to see that it has the same outcome.
   */
  settle(operation: string, input: object, repeated?: 'repeated'): Promise<Answer | undefined>
}

export function connectClient(options: {
  url: string
  token: string
  journal: Journal
  /** Aborted: the client closes, and sends nothing again. */
  signal: AbortSignal
}): ChaosClient {
  const { url, token, journal, signal } = options
  const socket: Socket = io(url, {
    transports: ['websocket'],
    forceNew: true,
    reconnectionDelay: 50,
    reconnectionDelayMax: 500,
    timeout: 3000,
    auth: { token },
  })
  signal.addEventListener('abort', () => socket.disconnect(), { once: true })
  // A gateway that is there but cannot ask who we are refuses for now; socket.io itself would not come back.
  socket.on('connect_error', (error: Error & { data?: { retryable?: boolean } }) => {
    if (!error.data) return
    if (error.data.retryable) setTimeout(() => !signal.aborted && socket.connect(), 200)
    else journal.violations.push({ rule: 'token_accepted', id: url, detail: JSON.stringify(error.data) })
  })

  async function ask(operation: string, input: object): Promise<Result<Record<string, unknown>> | undefined> {
    try {
      const answer: unknown = await socket.timeout(ANSWER_TIMEOUT_MS).emitWithAck(operation, input)
      return answer as Result<Record<string, unknown>>
    } catch {
      // Connected to somebody who does not answer: another worker will.
      if (socket.connected) socket.disconnect().connect()
      return undefined
    }
  }

  return {
    async settle(operation, input, repeated) {
      const tally = tallyOf(journal, operation)
      const startedAt = performance.now()
      if (repeated) tally.repeated++
      else tally.tried++
      for (let pauseMs = FIRST_PAUSE_MS; !signal.aborted; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
        tally.sent++
        const result = await ask(operation, input)
        if (result?.ok || (result && !result.error.retryable)) {
          tally.tookMs.push(performance.now() - startedAt)
          if (!repeated) {
            if (result.ok) tally.acknowledged++
            else count(tally.refused, result.error.code)
          }
          return result.ok ? result : { ok: false, code: result.error.code }
        }
        const code = result?.error.code ?? 'no_answer'
        count(tally.retried, code)
        if (code === 'no_answer' || code === 'deadline_exceeded') tally.unknown++
        // A defect by its own definition: whatever happens to processes and networks has a code of its own.
        if (code === 'internal') {
          const { requestId, message } = (result as { error: { requestId: string; message: string } }).error
          journal.violations.push({ rule: 'no_internal_error', id: requestId, detail: `${operation}: ${message}` })
        }
        await sleep(pauseMs, undefined, { signal }).catch(() => {})
      }
      if (!repeated) tally.unsettled++
      return undefined
    },
  }
}

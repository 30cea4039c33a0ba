import type { Logger } from '../platform/lib/log.js'
import type { Dispatch } from './dispatch.js'

const REPORT_EVERY_MS = 60_000

export interface Meter {
  /** The same dispatch, counted. */
  measured(dispatch: Dispatch): Dispatch
  stop(): void
}

/** One log line a minute while there is traffic: how many requests, what became of them, how long they took. */
export function createMeter(log: Logger, sockets: () => number): Meter {
  let outcomes: Record<string, number> = {}
  let inFlight = 0
  let requests = 0
  let totalMs = 0
  let slowestMs = 0

  function report(): void {
    if (requests === 0) return
    log.info(
      { sockets: sockets(), inFlight, requests, outcomes, meanMs: Math.round(totalMs / requests), slowestMs },
      'requests of the last minute',
    )
    outcomes = {}
    requests = totalMs = slowestMs = 0
  }

  const timer = setInterval(report, REPORT_EVERY_MS).unref()
  return {
    measured: (dispatch) => async (incoming, sender) => {
      const startedAtMs = performance.now()
      inFlight++
      const result = await dispatch(incoming, sender)
      inFlight--
      const tookMs = performance.now() - startedAtMs
      const code = result.ok ? 'ok' : result.error.code
      outcomes[code] = (outcomes[code] ?? 0) + 1
      requests++
      totalMs += tookMs
      slowestMs = Math.max(slowestMs, Math.round(tookMs))
      return result
    },
    stop() {
      clearInterval(timer)
      report()
    },
  }
}

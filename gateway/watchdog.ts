import { get } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

const EVERY_MS = 2000
const PROBE_MS = 2000
/** Knocks in vain before a worker counts as closed. */
const PATIENCE = 5

/**
 * Watches that connections still reach this worker. A worker whose descriptors ran out for a moment can stay closed for
 * good: the process that shares the port out among the workers waits for its answer for ever, and PM2 shows `online`.
 *
 * Where nothing came in for a while, it knocks itself, at its own /status. The workers of a port take turns, so another
 * one may answer; but then its turn comes soon. Only connections count that arrive here.
 */
export function watchDoor(options: {
  host: string
  port: number
  /** How many connections have arrived so far. */
  arrived: () => number
  closed: () => void
  everyMs?: number
}): { stop(): void } {
  const { port, arrived, closed, everyMs = EVERY_MS } = options
  const host = options.host === '0.0.0.0' ? '127.0.0.1' : options.host === '::' ? '::1' : options.host
  const stopping = new AbortController()

  async function watch(): Promise<void> {
    let seen = arrived()
    for (let misses = 0; misses < PATIENCE && !stopping.signal.aborted;) {
      await sleep(everyMs, undefined, { ref: false, signal: stopping.signal }).catch(() => {})
      if (stopping.signal.aborted) return
      if (arrived() === seen) await knock(host, port)
      misses = arrived() === seen ? misses + 1 : 0
      seen = arrived()
    }
    if (!stopping.signal.aborted) closed()
  }

  void watch()
  return { stop: () => stopping.abort() }
}

/** Whatever comes of it: what counts is whether it arrives. */
const knock = (host: string, port: number): Promise<void> =>
  new Promise((resolve) => {
    const request = get({ host, port, path: '/status', agent: false, timeout: PROBE_MS }, (response) => {
      response.resume()
    })
    request.once('timeout', () => request.destroy())
    request.once('error', () => {})
    request.once('close', resolve)
  })

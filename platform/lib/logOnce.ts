import type { Logger } from './log.js'

const MAX_REMEMBERED = 1000

/** Warns once for each kind and peer: a flood of rubbish must not become a flood of log lines. */
export function createLogOnce(log: Logger): (kind: string, peer: string, error?: unknown) => void {
  const seen = new Set<string>()
  return (kind, peer, error) => {
    const key = `${kind} ${peer}`
    if (seen.has(key) || seen.size >= MAX_REMEMBERED) return
    seen.add(key)
    log.warn({ kind, peer, ...(error !== undefined && { err: error }) }, 'more of the same is not logged')
  }
}

export type LogOnce = ReturnType<typeof createLogOnce>

import { lobbies, MAX_REPORTED } from '../functions/lobbies/contract.js'
import type { Logger } from '../platform/lib/log.js'
import type { FeedHub } from './feedHub.js'
import type { createSystemCall } from './systemCall.js'

/** What a worker said holds three times as long. */
const REPORT_EVERY_MS = 5000
/** Whoever lost the connection and is back by then, wherever, has never left. */
const COMEBACK_MS = 15_000
/** However many there are here: a call takes 1,000 at most, with so many users. */
const LOBBIES_PER_CALL = 500
/** Those who come and go together are reported together. */
const GATHER_MS = 500

/** A user came into a lobby's feed, or went; `lost`: without meaning to. */
export type Moved = (feed: string, userId: string, lost?: boolean) => void

export interface PresenceReporter {
  moved: Moved
  stop(): void
}

/** Says who is in lobbies through this worker: all of it, at every change and every few seconds. */
export function createPresenceReporter(options: {
  hub: FeedHub
  call: ReturnType<typeof createSystemCall>
  worker: string
  log: Logger
}): PresenceReporter {
  const { hub, call, worker, log } = options
  let known = new Set<string>()
  /** Till when they count as there, by `<feed> <userId>`. */
  const lostUntilMs = new Map<string, number>()
  let timer: NodeJS.Timeout | undefined
  let gathering = false
  let stopped = false

  async function report(): Promise<void> {
    const present = hub.followers('lobby')
    for (const [key, untilMs] of lostUntilMs) {
      const [feed, userId] = key.split(' ') as [string, string]
      if (untilMs <= performance.now()) lostUntilMs.delete(key)
      else present.set(feed, (present.get(feed) ?? new Set()).add(userId))
    }
    // A lobby that nobody is in any more is reported once more, as empty.
    const names = new Set([...known, ...present.keys()])
    if (names.size > 0) {
      const reported = [...names].map((name) => ({
        lobbyId: name.slice('lobby:'.length),
        userIds: [...(present.get(name) ?? [])],
      }))
      try {
        for (const part of inParts(reported)) await call(lobbies.reportPresence, { worker, lobbies: part })
        known = new Set(present.keys())
      } catch (error) {
        log.debug({ err: error }, 'presence not reported')
      }
    }
    gathering = false
    schedule(REPORT_EVERY_MS)
  }

  function schedule(ms: number): void {
    clearTimeout(timer)
    if (!stopped) timer = setTimeout(() => void report(), ms)
  }

  schedule(REPORT_EVERY_MS)
  return {
    moved(feed, userId, lost = false) {
      if (lost) lostUntilMs.set(`${feed} ${userId}`, performance.now() + COMEBACK_MS)
      else lostUntilMs.delete(`${feed} ${userId}`)
      if (gathering) return
      gathering = true
      schedule(GATHER_MS)
    },
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}

/** What fits into one call each. */
export function inParts<T extends { userIds: readonly string[] }>(reported: readonly T[]): T[][] {
  const parts: T[][] = []
  let users = 0
  for (const each of reported) {
    const last = parts.at(-1)
    const fits = last && last.length < LOBBIES_PER_CALL && users + each.userIds.length <= MAX_REPORTED
    users = each.userIds.length + (fits ? users : 0)
    if (fits) last.push(each)
    else parts.push([each])
  }
  return parts
}

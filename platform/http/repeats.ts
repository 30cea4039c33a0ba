import type { Logger } from '../lib/log.js'

const EVERY_MS = 10_000
/** Peers that a summary names; the others are counted together. */
const MAX_NAMED = 10
const OTHERS = 'others'

export interface Repeats {
  /** Something of this kind was refused to this peer: the first time a line of its own, then a number. */
  note(kind: string, peer: string | undefined, fields?: object): void
  stop(): void
}

/**
 * Refusals that outsiders cause as often as they like. Each kind has one line when it begins, and then one every ten
 * seconds that says how often and from where; so the log of an attack is as long as that of a mistake.
 */
export function createRepeats(log: Logger, everyMs = EVERY_MS): Repeats {
  const counted = new Map<string, Map<string, number>>()
  let timer: NodeJS.Timeout | undefined

  function summarise(): void {
    timer = undefined
    for (const [kind, peers] of counted) {
      const times = [...peers.values()].reduce((sum, each) => sum + each, 0)
      // A kind that has stopped is forgotten, so that its next first time is told at once.
      if (times === 0) counted.delete(kind)
      else {
        log.warn({ kind, times, peers: Object.fromEntries(peers) }, 'refused again and again')
        counted.set(kind, new Map())
      }
    }
    if (counted.size > 0) wait()
  }

  function wait(): void {
    timer ??= setTimeout(summarise, everyMs).unref()
  }

  return {
    note(kind, peer = 'unknown', fields = {}) {
      wait()
      const peers = counted.get(kind)
      if (!peers) {
        counted.set(kind, new Map())
        log.warn({ kind, peer, ...fields }, 'refused')
        return
      }
      const name = peers.has(peer) || peers.size < MAX_NAMED ? peer : OTHERS
      peers.set(name, (peers.get(name) ?? 0) + 1)
    },
    stop() {
      clearTimeout(timer)
      if (timer) summarise()
      clearTimeout(timer)
    },
  }
}

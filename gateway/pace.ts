import { setTimeout as sleep } from 'node:timers/promises'
import type { Pace } from './feedHub.js'
import { costOf, type SocketLimits } from './limits.js'
import type { Outgoing } from './outgoing.js'

/** So fast an account is given pages, also while it has credit: a few of the largest at once would keep the worker busy. */
const BYTES_A_MS = 4000
/** Where so many pages of one account wait that one more may not even wait. */
const LATER_MS = 1000

/**
 * Pages of what a socket missed are paid for like answers, but asked for by nobody: a socket gets its next one when it
 * has read the last and its account is not in debt. An account gets one at a time, over all its sockets: many that had
 * waited for the same debt to be paid off would otherwise all be given a page in the moment when it is.
 */
export function createPace(limits: SocketLimits, outgoing: Outgoing, gone: AbortSignal): Pace {
  async function enter(): Promise<(() => void) | undefined> {
    const pages = limits.pages()
    return pages ? pages.enter(1, gone) : () => {}
  }

  return {
    async turn() {
      while (!gone.aborted) {
        await outgoing.drained()
        const leave = await enter()
        const waitMs = leave ? limits.take(false, 0) : LATER_MS
        if (leave && waitMs === 0) return endOf(leave)
        leave?.()
        await sleep(waitMs)
      }
      return () => {}
    },
  }

  function endOf(leave: () => void): () => void {
    const sentBytes = outgoing.sentBytes()
    return () => {
      const bytes = outgoing.sentBytes() - sentBytes
      limits.charge(costOf(bytes))
      setTimeout(leave, bytes / BYTES_A_MS)
    }
  }
}

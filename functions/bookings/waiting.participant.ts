import { setTimeout as sleep } from 'node:timers/promises'
import type { Held, Participant } from '../../protocol/participant.js'
import { Unknown } from '../../protocol/store.js'

/** A second in all, which a booking that nobody broke off takes by far not. */
const WAITS_MS = [10, 20, 40, 80, 160, 320, 370]

/**
 * A thing whose no is final: it says it only because of what is decided, seen so before and after it said it. What a
 * booking that is not decided yet holds may be free again in a moment, so the apply, which may be sent any number of times
 * (protocol.md), is sent again. After a second the outcome counts as unknown: whoever drives the booking tries on until its
 * deadline, and who asked is told that the same request may be sent again.
 *
 * Nobody waits for whom it holds up: only for bookings that have what they want of this thing, and who waits has nothing
 * of it.
 */
export function waitingForDecisions<B extends Held>(
  thing: Participant<B>,
  isHeldUndecided: (booking: B) => Promise<boolean>,
): Participant<B> {
  async function looks(booking: B): Promise<boolean> {
    try {
      return await isHeldUndecided(booking)
    } catch (error) {
      throw new Unknown(`what holds it is not known: ${(error as Error).message}`, { cause: error })
    }
  }
  return {
    ...thing,
    async apply(booking) {
      let wasDecided = false
      for (const waitMs of WAITS_MS) {
        const vote = await thing.apply(booking)
        if (vote !== 'refused') return vote
        const isDecided = !(await looks(booking))
        // Once is not enough: what was in the way may have gone between the apply and the look.
        if (wasDecided && isDecided) return vote
        wasDecided = isDecided
        if (!isDecided) await sleep(waitMs)
      }
      throw new Unknown('a booking that is not decided yet holds it')
    },
  }
}

import { setImmediate as nextTurn } from 'node:timers/promises'
import { Refusal } from '../contract/errors.js'
import type { Context } from './function.js'

/**
 * Goes through items a slice at a time, and lets everybody else have a turn between slices: for work that would hold the
 * process up as one piece. Ends with `deadline_exceeded` as soon as nobody waits for its result any more.
 */
export async function* slicesOf<T>(
  ctx: Pick<Context, 'isWanted'>,
  items: readonly T[],
  sliceSize: number,
): AsyncGenerator<readonly T[]> {
  for (let start = 0; start < items.length; start += sliceSize) {
    if (start > 0) await nextTurn()
    if (!ctx.isWanted()) throw new Refusal('deadline_exceeded', 'Nobody waits for the answer any more.')
    yield items.slice(start, start + sliceSize)
  }
}

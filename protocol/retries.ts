import type { Context } from '../platform/runtime/function.js'
import { outOfReach } from '../platform/runtime/system.js'

/** What recovery failed so often to drive on waits for an admin: it is parked. */
export const PARK_AFTER = 15

const LONGEST_DELAY_MS = 300_000

/**
 * How long after the last of so many failures in a row something is driven on again: as soon as anything that stands still, then
 * twice as late each time. So what always fails costs less and less. Whoever looks takes what has not failed first.
 */
export const recoveryDelayMs = (
  { stuckAfterMs, intervalMs }: Context['config']['recovery'],
  failures: number,
): number => Math.max(stuckAfterMs, failures === 0 ? 0 : Math.min(LONGEST_DELAY_MS, intervalMs * 2 ** (failures - 1)))

/**
 * The filter of what is due by its last move, where `counter` counts its failures: fresh has not failed, again has. Looked for
 * apart, so that any number of those that fail leave room for the others.
 */
export function dueFilters(ctx: Pick<Context, 'now' | 'config'>, counter: string): { fresh: object; again: object } {
  const before = (failures: number): Date =>
    new Date(ctx.now().getTime() - recoveryDelayMs(ctx.config.recovery, failures))
  return {
    // null: also where it was never counted.
    fresh: { [counter]: { $in: [0, null] }, lastModified: { $lt: before(0) } },
    again: {
      $or: Array.from({ length: PARK_AFTER }, (_, i) => ({
        [counter]: i + 1,
        lastModified: { $lt: before(i + 1) },
      })),
    },
  }
}

/** Runs over the items in their order, so many at once, while there is time. One that fails must not hold up the others. */
export async function sweep<T>(
  ctx: Pick<Context, 'remainingMs'>,
  items: readonly T[],
  atOnce: number,
  run: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values()
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const item of queue) if (ctx.remainingMs() > 0) await run(item)
    }),
  )
}

/**
 * Works on a page at once; where that fails, on each of it alone, so that one that always fails does not hold up the others.
 * Answers what it failed with. A database that is out of reach fails for all.
 */
export async function eachAlone<T>(
  page: readonly T[],
  work: (part: readonly T[]) => Promise<void>,
): Promise<unknown[]> {
  try {
    await work(page)
    return []
  } catch (error) {
    if (outOfReach(error)) throw error
    if (page.length <= 1) return [error]
    const failures: unknown[] = []
    for (const each of page) for (const failure of await eachAlone([each], work)) failures.push(failure)
    return failures
  }
}

/**
 * Works through all there is, a page at a time, while there is time. Where some failed it throws in the end: the sweep's job
 * fails, which getStatus tells.
 */
export async function eachPage<T>(
  ctx: Pick<Context, 'remainingMs'>,
  { found, size }: { found: AsyncIterable<T>; size: number },
  work: (part: readonly T[]) => Promise<void>,
): Promise<void> {
  const failures: unknown[] = []
  let page: T[] = []
  const endPage = async (): Promise<void> => {
    for (const failure of await eachAlone(page, work)) failures.push(failure)
    page = []
  }
  for await (const each of found) {
    if (ctx.remainingMs() === 0) break
    page.push(each)
    if (page.length === size) await endPage()
  }
  if (page.length > 0 && ctx.remainingMs() > 0) await endPage()
  throwFirst(failures)
}

export function throwFirst(failures: readonly unknown[]): void {
  if (failures.length > 0) throw new Error(`${failures.length} could not be tidied`, { cause: failures[0] })
}

import { define } from '../../../platform/runtime/function.js'
import { platform } from '../contract.js'

/** A worker that has not asked for so long is gone, or will not mind. */
const FORGET_MS = 30_000

/** In memory alone: what was spent matters for seconds, and a restart forgives it. */
export default define(platform.shareUse, (ctx, { worker, spent }) => {
  const board = ctx.use(createBoard)
  const nowMs = ctx.now().getTime()
  const own = board.get(worker)
  board.set(worker, { untold: new Map(), askedAtMs: nowMs })
  for (const [other, { untold, askedAtMs }] of board) {
    if (nowMs - askedAtMs > FORGET_MS) board.delete(other)
    else if (other !== worker) {
      for (const { account, weight } of spent) untold.set(account, (untold.get(account) ?? 0) + weight)
    }
  }
  const untold = [...(own?.untold ?? [])].map(([account, weight]) => ({ account, weight }))
  return Promise.resolve({ spent: untold, workers: board.size })
})

/** By worker: what the others have spent since it asked last. */
const createBoard = (): Map<string, { untold: Map<string, number>; askedAtMs: number }> => new Map()

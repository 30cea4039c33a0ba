import { define } from '../../../platform/runtime/function.js'
import { users } from '../contract.js'
import { User } from '../user.model.js'

/** A change may be saved later than one of the same moment is told; and the clock of a new primary may be behind. */
const OVERLAP_MS = 10_000
const MOST = 1000

export default define(users.listAccessChanges, async (ctx, { afterMs }) => {
  const isFirst = afterMs === 0
  const found = await ctx
    .model(User)
    .find({ accessChangedAt: { $gt: new Date(afterMs - OVERLAP_MS) } }, { tokenVersion: 1, accessChangedAt: 1 })
    .sort({ accessChangedAt: -1 })
    .limit(isFirst ? 1 : MOST + 1)
    .lean()
  const newestMs = found[0]?.accessChangedAt?.getTime() ?? 0
  return {
    // At least 1: where nobody has ever changed, the next call is not the first.
    afterMs: Math.max(afterMs, newestMs, 1),
    changed:
      isFirst || found.length > MOST
        ? null
        : found.map(({ _id, tokenVersion }) => ({ userId: _id.toHexString(), tokenVersion })),
  }
})

import { z } from 'zod'
import { define, type Context } from '../../platform/runtime/function.js'
import { decodeCursor, encodeCursor } from '../../platform/runtime/pages.js'
import { users } from './contract.js'
import { ledgerId, LEDGER_HEAD_FIELDS, recentEntries, type LedgerHead } from './ledger.rules.js'
import { Ledger, type LedgerDocument } from './ledger.model.js'
import { assertVisible, userNotFound } from './user.access.js'
import { User } from './user.model.js'

/** The number of the last entry on the page before. */
const position = z.int().min(1)

export default define(users.listLedger, async (ctx, { userId, limit, cursor }) => {
  assertVisible(ctx, userId)

  const user = await ctx.model(User).findById(userId, LEDGER_HEAD_FIELDS).lean()
  if (!user) throw userNotFound(userId)
  const before = cursor === undefined ? Infinity : decodeCursor(cursor, position)

  const entries = await newestBefore(ctx, user, before, limit)
  const last = entries.at(-1)
  return {
    items: entries.map(present),
    nextCursor: last && last.number > 1 ? encodeCursor(last.number) : null,
  }
})

/** Entries have numbers without gaps, so the archive is read by id: whatever is not in the document is there. */
async function newestBefore(ctx: Context, user: LedgerHead, before: number, limit: number): Promise<LedgerDocument[]> {
  const recent = recentEntries(user)
    .filter(({ number }) => number < before)
    .slice(-limit)
    .reverse()
  const wanted = Math.min(limit - recent.length, user.archivedLedger.count, before - 1)
  if (wanted <= 0) return recent
  const newest = Math.min(user.archivedLedger.count, before - 1)
  const ids = Array.from({ length: wanted }, (_, i) => ledgerId(user._id, newest - i))
  const archived = await ctx
    .model(Ledger)
    .find({ _id: { $in: ids } })
    .lean()
  return [...recent, ...archived.sort((a, b) => b.number - a.number)]
}

const present = ({ _id, at, cause, causeId, change, balanceAfter }: LedgerDocument) => ({
  id: _id,
  at: at.toISOString(),
  cause,
  causeId: causeId.toHexString(),
  change,
  balanceAfter,
})

import type { mongo } from 'mongoose'
import { unlessTaken } from '../../platform/database/bulkErrors.js'
import { Refusal } from '../../platform/contract/errors.js'
import type { Context } from '../../platform/runtime/function.js'
import { dayOf, exceeded } from '../../platform/runtime/quotas.js'
import type { BookingLogEntry, Invitation } from './bookingLog.model.js'
import { isOpen } from './invitation.states.js'
import { UserPair, type PairDocument } from './pair.model.js'

/** What an entry changes between buyer and seller, and what must hold there for it. */
export interface PairChange {
  _id: string
  buyerId: string
  /** Who asks something new of the other. What was asked before may be answered or taken back whatever holds by now. */
  asker?: string
  /** Invitations that begin to wait for the seller, or end to. */
  opened: -1 | 0 | 1
}

const pairIdOf = (two: readonly string[]): string => two.toSorted().join(':')

const pairs = (ctx: Pick<Context, 'model'>): mongo.Collection<PairDocument> =>
  ctx.model(UserPair).collection as unknown as mongo.Collection<PairDocument>

const today = (ctx: Pick<Context, 'now'>): string => dayOf(ctx.now().getTime())

/** Null where the entry changes nothing there. */
export function pairChange(
  before: Pick<BookingLogEntry, 'invitation'> | null,
  { buyerId, sellerId, state }: Invitation,
  asker: string | undefined,
): PairChange | null {
  const wasOpen = before !== null && isOpen(before.invitation.state)
  const opened = isOpen(state) === wasOpen ? 0 : wasOpen ? -1 : 1
  if (opened === 0 && asker === undefined) return null
  const [buyer, seller] = [buyerId.toHexString(), sellerId.toHexString()]
  return { _id: pairIdOf([buyer, seller]), buyerId: buyer, opened, ...(asker !== undefined && { asker }) }
}

/**
 * Makes the document of two users who have none yet, and begins its day. Throws where it shows already that the one may
 * ask no more: a flood of refusals then costs no transactions.
 */
export async function preparePair(ctx: Context, change: PairChange): Promise<void> {
  const { _id } = change
  const day = today(ctx)
  const found = await pairs(ctx).findOne({ _id })
  const refused = found && refusal(ctx, change, found)
  if (refused) throw refused
  if (found && found.day >= day) return
  if (found) await pairs(ctx).updateOne({ _id, day: found.day }, { $set: { day, asked: {} } })
  else await upsert(ctx, { _id }, {}, { ...fresh(ctx), blockedBy: [], blockNumber: 0 })
}

/** In the transaction that appends. Throws where the one may ask no more of the other. */
export async function changePair(ctx: Context, change: PairChange, session: mongo.ClientSession): Promise<void> {
  const { _id, buyerId, asker, opened } = change
  const { matchedCount } = await pairs(ctx).updateOne(
    { _id, ...(asker !== undefined && mayAsk(ctx, asker, opened)) },
    {
      $inc: {
        ...(opened !== 0 && { [`open.${buyerId}`]: opened, openCount: opened }),
        ...(asker !== undefined && { [`asked.${asker}`]: 1 }),
      },
    },
    { session },
  )
  if (matchedCount === 1) return
  const found = await pairs(ctx).findOne({ _id }, { session })
  throw (found && refusal(ctx, change, found)) ?? new Refusal('unavailable', 'Another day began just now.')
}

const mostAsked = ({ config }: Pick<Context, 'config'>): number => config.quotas.invitationsToOne || Infinity

const mayAsk = (ctx: Context, asker: string, opened: number) => ({
  blockedBy: { $size: 0 },
  day: { $gte: today(ctx) },
  // Also where nothing was counted yet.
  [`asked.${asker}`]: { $not: { $gte: mostAsked(ctx) } },
  ...(opened > 0 && { [`open.${asker}`]: { $not: { $gte: ctx.config.maxOpenInvitations } } }),
})

/** Why the one may not ask, if so. */
function refusal(ctx: Context, { asker = '', opened }: PairChange, pair: PairDocument): Refusal | null {
  if (pair.blockedBy.includes(asker)) return new Refusal('receiver_blocked', 'You have blocked this user.')
  if (pair.blockedBy.length > 0) return new Refusal('blocked_by_receiver', 'This user has blocked you.')
  const asked = pair.day >= today(ctx) ? (pair.asked[asker] ?? 0) : 0
  if (asked >= mostAsked(ctx)) return exceeded('invitationsToOne', pair.day, ctx)
  const open = pair.open[asker] ?? 0
  if (opened > 0 && open >= ctx.config.maxOpenInvitations) {
    return new Refusal('too_many_invitations', `${open} invitations wait for this seller already.`)
  }
  return null
}

/** A block as its owner has it; older ones change nothing. */
export const copyBlock = (
  ctx: Context,
  { userIds, blockedBy, number }: { userIds: readonly string[]; blockedBy: string[]; number: number },
): Promise<void> => {
  const filter = { _id: pairIdOf(userIds), blockNumber: { $lt: number } }
  return upsert(ctx, filter, { $set: { blockedBy, blockNumber: number } }, fresh(ctx))
}

const fresh = (ctx: Context) => ({ open: {}, openCount: 0, day: today(ctx), asked: {} })

/** Where one is in the way that the filter does not match, it is as good. */
async function upsert(
  ctx: Context,
  filter: mongo.Filter<PairDocument>,
  change: mongo.UpdateFilter<PairDocument>,
  made: Partial<PairDocument>,
): Promise<void> {
  await unlessTaken(pairs(ctx).updateOne(filter, { ...change, $setOnInsert: made }, { upsert: true }))
}

/** Those that say nothing any more: no block, nothing open, and another day since. */
export const tidyPairs = async (ctx: Context, before: Date): Promise<number> =>
  (await pairs(ctx).deleteMany({ day: { $lt: dayOf(before.getTime()) }, blockedBy: { $size: 0 }, openCount: 0 }))
    .deletedCount

import mongoose from 'mongoose'
import { Refusal } from '../../platform/contract/errors.js'
import { define, type Context } from '../../platform/runtime/function.js'
import { PARK_AFTER, recoveryDelayMs, sweep } from '../../protocol/retries.js'
import { bookingLog } from './bookingLog.model.js'
import { CalendarHead, type CalendarHeadDocument, type Settling } from './calendarHead.model.js'
import { calendars } from './contract.js'
import { isSettling, settle } from './invitation.settlement.js'

const AT_ONCE = 32
const PAGE = 500

/** With the head that it is in. */
type Stuck = Settling & { headId: mongoose.Types.ObjectId }
type Report = Record<'examined' | 'confirmed' | 'cancelled' | 'refused' | 'parked', number>

export default define(calendars.recoverInvitations, async (ctx, { invitationId }) => {
  const stuck = invitationId === undefined ? await findStuck(ctx) : await findOne(ctx, invitationId)
  const report: Report = { examined: stuck.length, confirmed: 0, cancelled: 0, refused: 0, parked: 0 }
  await sweep(ctx, stuck, AT_ONCE, (each) => recover(ctx, each, report))
  return report
})

/** Those that have not failed come first. */
async function findStuck(ctx: Context): Promise<Stuck[]> {
  const at = ctx.now()
  const since = new Date(at.getTime() - ctx.config.recovery.stuckAfterMs)
  const matching = async (retry: Record<string, unknown>, isDue: (each: Settling) => boolean): Promise<Stuck[]> =>
    settlingIn(
      await ctx
        .model(CalendarHead)
        .find(
          {
            // Repeats the predicate of the partial index.
            'settling.since': { $lt: since },
            settling: { $elemMatch: { since: { $lt: since }, ...retry } },
          },
          { settling: 1 },
        )
        .limit(PAGE)
        .lean(),
      (each) => each.since < since && isDue(each),
    )
  return [
    ...(await matching({ retry: null }, ({ retry }) => !retry)),
    ...(await matching(
      { 'retry.at': { $lte: at }, 'retry.parked': false },
      ({ retry }) => retry !== undefined && !retry.parked && retry.at <= at,
    )),
  ]
}

async function findOne(ctx: Context, invitationId: string): Promise<Stuck[]> {
  const id = new mongoose.Types.ObjectId(invitationId)
  const heads = await ctx
    .model(CalendarHead)
    .find({ 'settling.since': { $exists: true }, 'settling.invitationId': id }, { settling: 1 })
    .lean()
  const stuck = settlingIn(heads, (each) => each.invitationId.equals(id))
  if (stuck.length === 0) throw new Refusal('invitation_not_found', `Nothing of ${invitationId} is under way.`)
  return stuck
}

const settlingIn = (
  heads: Pick<CalendarHeadDocument, '_id' | 'settling'>[],
  isWanted: (each: Settling) => boolean,
): Stuck[] =>
  heads.flatMap(({ _id: headId, settling }) => settling.filter(isWanted).map((each) => ({ ...each, headId })))

async function recover(ctx: Context, stuck: Stuck, report: Report): Promise<void> {
  const invitationId = stuck.invitationId.toHexString()
  try {
    const newest = await ctx.use(bookingLog).head(invitationId)
    // Somebody else was faster.
    if (!newest || !isSettling(newest)) return
    const { kind } = await settle(ctx, newest)
    if (kind === 'confirmed' || kind === 'cancelled') report[kind]++
    else report.refused++
    ctx.log.info({ invitationId, to: kind }, 'invitation recovered')
  } catch (error) {
    const failures = (stuck.retry?.failures ?? 0) + 1
    const parked = failures >= PARK_AFTER
    const level = parked ? 'error' : 'warn'
    ctx.log[level]({ invitationId, failures, parked, err: error }, 'recovery of an invitation failed')
    if (parked) report.parked++
    await postpone(ctx, stuck, { failures, parked })
  }
}

/** Only recovery reads it; whatever settles the invitation drops it with its mark. */
async function postpone(
  ctx: Context,
  { headId, invitationId }: Stuck,
  { failures, parked }: { failures: number; parked: boolean },
): Promise<void> {
  const at = new Date(ctx.now().getTime() + recoveryDelayMs(ctx.config.recovery, failures))
  await ctx
    .model(CalendarHead)
    .updateOne(
      { _id: headId, 'settling.invitationId': invitationId },
      { $set: { 'settling.$.retry': { failures, at, parked } } },
    )
    .catch((error: unknown) => ctx.log.error({ invitationId, err: error }, 'an invitation could not be postponed'))
}

import type { ModelDefinition } from '../platform/database/model.js'
import type { Context } from '../platform/runtime/function.js'
import { BACKLOG_PAGE, BACKLOG_READ_MS, type Unsettled } from './backlog.js'
import { OutOfTime, type Engine, type EngineBooking } from './engine.js'
import { dueFilters, PARK_AFTER, sweep } from './retries.js'
import { isOutstanding } from './states.js'
import { Unknown, type Filter } from './store.js'

/** What recovery does with what stands still, whatever the engine drives: bookings, payments. */

const AT_ONCE = 64
const PAGE = 500

export interface RecoveryReport {
  examined: number
  reapplied: number
  committed: number
  cancelled: number
  parked: number
}

/** Since when something must not have moved to count as stuck. */
export const stuckSince = (ctx: Pick<Context, 'now' | 'config'>): Date =>
  new Date(ctx.now().getTime() - ctx.config.recovery.stuckAfterMs)

/** What may be stuck or parked. createdAt never changes and is never after lastModified: its index narrows, that decides. */
export const maybeStuck = (ctx: Pick<Context, 'now' | 'config'>) => ({
  ...isOutstanding,
  createdAt: { $lt: stuckSince(ctx) },
})

/** Those that were never taken over first, each oldest first; those that do not fit wait for the next run. */
export async function findStuck<B extends EngineBooking>(ctx: Context, engine: Engine<B>): Promise<B[]> {
  const stuck = { ...maybeStuck(ctx), parked: false }
  const { fresh, again } = dueFilters(ctx, 'recoveries')
  return [...(await engine.find({ ...stuck, ...fresh }, PAGE)), ...(await engine.find({ ...stuck, ...again }, PAGE))]
}

/** What is stuck or parked, oldest first, for whoever tells how the system is doing. */
export async function unsettledOf<B extends EngineBooking>(
  ctx: Pick<Context, 'now' | 'config' | 'model'>,
  model: ModelDefinition<B>,
): Promise<Unsettled[]> {
  const found = await ctx
    .model(model)
    .find(maybeStuck(ctx) as never, { parked: 1, lastModified: 1 })
    .sort({ createdAt: 1 })
    .limit(BACKLOG_PAGE)
    .maxTimeMS(BACKLOG_READ_MS)
    .lean<Pick<EngineBooking, 'parked' | 'lastModified'>[]>()
  return found
    .filter(({ parked, lastModified }) => parked || lastModified < stuckSince(ctx))
    .map(({ parked, lastModified }) => ({ parked, since: lastModified }))
}

export interface Recovery<B extends EngineBooking> {
  engine: Engine<B>
  /** What the log calls it: `booking`. */
  entity: string
  stuck: readonly B[]
  /** The operation of an admin who named them: parked ones are driven on too. Left out: the recovery job. */
  askedBy?: string
}

/** Takes over what is stuck and drives each to its end, or parks it. Safe to run many times at once. */
export async function recoverStuck<B extends EngineBooking>(
  ctx: Context,
  recovery: Recovery<B>,
): Promise<RecoveryReport> {
  const report: RecoveryReport = {
    examined: recovery.stuck.length,
    reapplied: 0,
    committed: 0,
    cancelled: 0,
    parked: 0,
  }
  await sweep(ctx, recovery.stuck, AT_ONCE, (booking) => recover(ctx, recovery, booking, report))
  return report
}

async function recover<B extends EngineBooking>(
  ctx: Context,
  { engine, entity, askedBy }: Recovery<B>,
  stuck: B,
  report: RecoveryReport,
): Promise<void> {
  const named = { [`${entity}Id`]: stuck._id }
  // Of several recoveries at once, one finds it as it was read; the others touch nothing.
  const when: Filter = { epoch: stuck.epoch }
  try {
    if (askedBy === undefined && stuck.recoveries >= PARK_AFTER) {
      await engine.resume(stuck._id, {
        by: 'recovery',
        why: `parked after ${stuck.recoveries} attempts`,
        when,
        set: { parked: true },
        until: stuck.state,
        deadlineAt: ctx.deadlineAt,
      })
      report.parked++
      ctx.log.error(
        { ...named, state: stuck.state, recoveries: stuck.recoveries },
        `${entity} parked: an admin must look at it`,
      )
      return
    }
    const resumed = await engine.resume(stuck._id, {
      by: askedBy ?? 'recovery',
      why: askedBy ? 'an admin asked for it' : `not moved since ${stuck.lastModified.toISOString()}`,
      when,
      set: askedBy ? { parked: false, recoveries: 0 } : {},
      deadlineAt: ctx.deadlineAt - Math.max(0, ctx.remainingMs() - ctx.config.deadlinesMs.money),
    })
    if (!resumed) return
    if (resumed.found.state === 'INITIAL' || resumed.found.state === 'PENDING') report.reapplied++
    if (resumed.booking.state === 'COMMITTED') report.committed++
    if (resumed.booking.state === 'CANCELLED') report.cancelled++
    ctx.log.info({ ...named, from: stuck.state, to: resumed.booking.state }, `${entity} recovered`)
  } catch (error) {
    // Whatever it was, the next run takes it over again, and after the limit parks it: one must not hold up the others.
    const expected = error instanceof Unknown || error instanceof OutOfTime
    ctx.log[expected ? 'warn' : 'error']({ ...named, err: error }, `recovery of a ${entity} failed`)
  }
}

import { Refusal } from '../platform/contract/errors.js'
import type { Context } from '../platform/runtime/function.js'
import { OutOfTime, type Engine, type EngineBooking } from './engine.js'
import { isFinal } from './states.js'
import { Unknown } from './store.js'

/** What requests that drive an engine have in common, whatever it drives: bookings, payments. */

/** The fields that everything that an engine drives starts with. */
export const newEngineDocument = <T extends object>(what: T, at: Date) => ({
  ...what,
  state: 'INITIAL' as const,
  epoch: 1,
  recoveries: 0,
  parked: false,
  repairs: [],
  createdAt: at,
  lastModified: at,
})

/** Runs the engine for a request: what it leaves open becomes an error that says so, and names the entity. */
export async function settling<T>(ctx: Context, entity: string, id: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (!(error instanceof Unknown || error instanceof OutOfTime)) throw error
    const named = { [`${entity}Id`]: id }
    ctx.log.warn({ ...named, why: error.message }, 'outcome unknown')
    throw new Refusal(
      'deadline_exceeded',
      `The ${entity} did not settle in time; it will by itself. Send the same request again to learn how.`,
      named,
      { cause: error },
    )
  }
}

/** The end of what the same request began earlier: waited for, or taken over from an owner who must be dead by now. */
export async function endOf<B extends EngineBooking>(
  ctx: Context,
  engine: Engine<B>,
  earlier: B,
  by: string,
): Promise<B> {
  if (isFinal(earlier.state)) return earlier
  const when = { lastModified: { $lt: new Date(ctx.now().getTime() - ctx.config.deadlinesMs.money) }, parked: false }
  const resumed = await engine.resume(earlier._id, {
    by,
    why: 'the same request came again',
    when,
    deadlineAt: ctx.deadlineAt,
  })
  return resumed?.booking ?? engine.outcome(earlier._id, ctx.deadlineAt)
}

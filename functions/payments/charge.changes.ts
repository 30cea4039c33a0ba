import type { z } from 'zod'
import { Refusal } from '../../platform/contract/errors.js'
import { withEvents, type EventTransaction } from '../../platform/events/events.js'
import type { Context } from '../../platform/runtime/function.js'
import { failpoint } from '../../platform/lib/failpoints.js'
import { Charge, type ChargeDocument } from './charge.model.js'
import { CHARGE_TRANSITIONS, type ChargeState } from './charge.states.js'
import type { charge } from './contract.js'

export const presentCharge = (c: ChargeDocument): z.output<typeof charge> => ({
  id: c._id.toHexString(),
  orderId: c.orderId.toHexString(),
  userId: c.userId.toHexString(),
  amount: c.amount,
  method: c.method,
  state: c.state,
  ...(c.reason !== undefined && { reason: c.reason }),
  ...(c.state === 'pending' && c.clientSecret !== undefined && { clientSecret: c.clientSecret }),
  version: c.version,
  createdAt: c.createdAt.toISOString(),
  lastModified: c.lastModified.toISOString(),
})

/** The charge, if the caller may see it: others' charges are not found, so that ids tell nothing. */
export async function visibleCharge(ctx: Context, chargeId: string): Promise<ChargeDocument> {
  const found = await ctx.model(Charge).findById(chargeId).lean()
  if (!found || (ctx.caller?.role === 'user' && !found.userId.equals(ctx.caller.userId))) {
    throw new Refusal('charge_not_found', `There is no charge ${chargeId}.`)
  }
  return found
}

/** The events that tell of a charge's coming to a state. */
const TOLD_AS: Partial<Record<ChargeState, string>> = { paid: 'charge:created', refunded: 'charge:refunded' }

interface Move {
  to: ChargeState
  set?: Partial<ChargeDocument>
  unset?: Partial<Record<keyof ChargeDocument, 1>>
  /** Beyond the state. */
  guard?: object
}

/**
 * The one writer of states: moves a charge along the table of transitions, with its event where others are told.
 * Answers the charge as it then is, whoever moved it. Majority.
 */
export async function moveCharge(
  ctx: Context,
  from: ChargeDocument,
  { to, set, unset, guard }: Move,
): Promise<ChargeDocument> {
  if (!CHARGE_TRANSITIONS[from.state].includes(to)) throw new Error(`A charge never goes from ${from.state} to ${to}`)
  const model = ctx.model(Charge)
  const filter = { ...guard, _id: from._id, state: from.state }
  const change = { $set: { ...set, state: to, lastModified: ctx.now() }, ...(unset && { $unset: unset }) }
  const type = TOLD_AS[to]
  await failpoint(`charge.${to}.before`)
  const moved =
    type === undefined
      ? await model.findOneAndUpdate(filter, change, { returnDocument: 'after' }).lean()
      : await withEvents(ctx, 'payments', (tx) => moveAndTell(ctx, tx, { filter, change, type }))
  await failpoint(`charge.${to}.after`)
  return moved ?? readCharge(ctx, from)
}

async function moveAndTell(
  ctx: Context,
  tx: EventTransaction,
  { filter, change, type }: { filter: object; change: object; type: string },
): Promise<ChargeDocument | null> {
  const moved = await ctx
    .model(Charge)
    .findOneAndUpdate(filter, { ...change, $inc: { version: 1 } }, { session: tx.session, returnDocument: 'after' })
    .lean()
  if (moved) {
    const aggregate = { type: 'charge', id: moved._id }
    tx.emit({ type, aggregate, version: moved.version, payload: presentCharge(moved) })
  }
  return moved
}

/** As it is now. Linearizable: whoever lost a compare-and-set must see what won it. */
export const readCharge = (ctx: Context, { _id }: Pick<ChargeDocument, '_id'>): Promise<ChargeDocument> =>
  ctx.model(Charge).findById(_id).readConcern('linearizable').orFail().lean()

import type { Types } from 'mongoose'
import type { EventTransaction } from '../../platform/events/events.js'
import type { Context } from '../../platform/runtime/function.js'
import { emits } from './contract.js'
import { Order, type OrderDocument } from './order.model.js'
import { presentOrderNews } from './order.presenter.js'
import { HOLDING, statesBefore, type OrderState } from './order.states.js'

/** The event that tells of an order's coming to a state. */
const TOLD_AS = {
  created: 'order:created',
  awaiting_payment: 'order:reserved',
  complete: 'order:completed',
  cancelled: 'order:cancelled',
} as const satisfies Record<OrderState, string>

export type OrderTransaction = EventTransaction<typeof emits>

/**
 * The one writer of states: moves an order along the table of transitions and emits the event. Answers null where the
 * order is not in a state to come from, or the guard does not match: then nothing changes.
 */
export async function moveOrder(
  ctx: Context,
  tx: OrderTransaction,
  { id, guard, to, set, unset }: Move,
): Promise<OrderDocument | null> {
  const moved = await ctx
    .model(Order)
    .findOneAndUpdate(
      { $and: [{ _id: id, state: { $in: statesBefore(to) } }, guard ?? {}] },
      {
        $set: { ...set, state: to, updatedAt: ctx.now() },
        ...(unset && { $unset: unset }),
        $inc: { version: 1 },
      },
      { session: tx.session, returnDocument: 'after' },
    )
    .lean()
  if (moved) emit(tx, moved)
  return moved
}

interface Move {
  id: Types.ObjectId
  to: OrderState
  /** Beyond the states that it may come from. */
  guard?: object
  set?: Partial<OrderDocument>
  unset?: { reason: 1 }
}

export const emit = (tx: OrderTransaction, order: OrderDocument): void =>
  tx.emit({
    type: TOLD_AS[order.state],
    aggregate: { type: 'order', id: order._id },
    version: order.version,
    payload: presentOrderNews(order),
  })

/** Who holds a ticket now, its latest hold, and the next one's number. All are only hints outside of a transaction. */
export async function holdsOf(
  ctx: Context,
  ticketId: Types.ObjectId,
  tx?: OrderTransaction,
): Promise<{ holder: OrderDocument | null; latest: OrderDocument | null; next: number }> {
  const model = ctx.model(Order)
  const session = tx?.session ?? null
  const holder = await model
    .findOne({ ticketId, state: { $in: [...HOLDING] } })
    .session(session)
    .lean()
  const latest = await model.findOne({ ticketId }).sort({ hold: -1 }).session(session).lean()
  return { holder, latest, next: (latest?.hold ?? 0) + 1 }
}

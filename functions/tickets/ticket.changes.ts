import mongoose, { type UpdateQuery } from 'mongoose'
import type { z } from 'zod'
import { withEvents, type EventTransaction } from '../../platform/events/events.js'
import type { Context } from '../../platform/runtime/function.js'
import { emits, type orderHold, type ticket } from './contract.js'
import { Ticket, type TicketDocument } from './ticket.model.js'

export const presentTicket = (t: TicketDocument): z.output<typeof ticket> => ({
  id: t._id.toHexString(),
  userId: t.userId.toHexString(),
  title: t.title,
  price: t.price,
  ...(t.orderId && { orderId: t.orderId.toHexString() }),
  version: t.version,
  createdAt: t.createdAt.toISOString(),
  updatedAt: t.updatedAt.toISOString(),
})

/** Changes a ticket and emits `ticket:updated`; null where the guard does not match, and nothing is emitted. */
export async function changeTicket(
  ctx: Context,
  tx: EventTransaction<typeof emits>,
  guard: object,
  change: UpdateQuery<TicketDocument>,
): Promise<TicketDocument | null> {
  const changed = await ctx
    .model(Ticket)
    .findOneAndUpdate(
      guard,
      { ...change, $set: { ...change.$set, updatedAt: ctx.now() }, $inc: { version: 1 } },
      { session: tx.session, returnDocument: 'after' },
    )
    .lean()
  if (changed) emit(tx, 'ticket:updated', changed)
  return changed
}

export const emit = (
  tx: EventTransaction<typeof emits>,
  type: keyof (typeof emits)['types'],
  changed: TicketDocument,
): void =>
  tx.emit({
    type,
    aggregate: { type: 'ticket', id: changed._id },
    version: changed.version,
    payload: presentTicket(changed),
  })

/**
 * Sets or takes off a ticket's lock. Orders number the holds of each ticket, one after the other: so the newest hold wins
 * whenever word of it comes, an older one, late or twice, changes nothing, and a hold that was released stays released.
 */
export async function followHold(
  ctx: Context,
  { id, ticketId, hold, state }: z.output<typeof orderHold>,
): Promise<void> {
  const _id = new mongoose.Types.ObjectId(ticketId)
  const orderId = new mongoose.Types.ObjectId(id)
  await withEvents(ctx, emits, (tx) =>
    state === 'cancelled'
      ? changeTicket(
          ctx,
          tx,
          { _id, $or: [{ hold: { $lt: hold } }, { hold, orderId }] },
          { $set: { hold }, $unset: { orderId: 1 } },
        )
      : changeTicket(ctx, tx, { _id, hold: { $lt: hold } }, { $set: { hold, orderId } }),
  )
}

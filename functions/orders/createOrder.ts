import mongoose from 'mongoose'
import { DUPLICATE_KEY } from '../../platform/database/bulkErrors.js'
import { Refusal } from '../../platform/contract/errors.js'
import { withEvents } from '../../platform/events/events.js'
import { define, type Context } from '../../platform/runtime/function.js'
import { isSameRequest, requestOf } from '../../platform/runtime/requests.js'
import { tickets } from '../tickets/contract.js'
import { emits, orders } from './contract.js'
import { emit, holdsOf, type OrderTransaction } from './order.changes.js'
import { Order, type OrderDocument } from './order.model.js'
import { presentOrder, presentOrderNews } from './order.presenter.js'
import { OPEN } from './order.states.js'

const ATTEMPTS = 5

export default define(orders.createOrder, async (ctx, input) => {
  if (!ctx.caller) throw new Refusal('unauthenticated', 'An order has a buyer: sign in first.')
  const request = requestOf(ctx, input)
  const _id = new mongoose.Types.ObjectId(input.orderId)
  const earlier = await ctx.model(Order).findById(_id).lean()
  if (earlier) return again(ctx, earlier, request)
  // Asked of its owner: what the seller changed before this order counts.
  const ticket = await ctx.call(tickets.getTicket, { ticketId: input.ticketId })
  if (input.maxPrice !== undefined && ticket.price > input.maxPrice) {
    throw new Refusal('price_changed', 'It costs more than maxPrice.', { price: ticket.price })
  }
  const ticketId = new mongoose.Types.ObjectId(ticket.id)

  for (let attempt = 1; ; attempt++) {
    const { holder } = await holdsOf(ctx, ticketId)
    if (holder && !holder._id.equals(_id)) throw reserved(ticket.id)
    const at = ctx.now()
    const order = {
      _id,
      userId: new mongoose.Types.ObjectId(ctx.caller.userId),
      ticketId,
      sellerId: new mongoose.Types.ObjectId(ticket.userId),
      price: ticket.price,
      state: 'created' as const,
      expiresAt: new Date(at.getTime() + ctx.config.orderExpiresAfterMs),
      refusedCharges: [],
      version: 0,
      request,
      createdAt: at,
      updatedAt: at,
    }
    const inserted = await insert(ctx, order)
    if (inserted) return locked(ctx, inserted)
    // Whoever was faster is this very request, another order of the ticket, or one that took the number of the hold.
    const rival = await ctx.model(Order).findById(_id).readConcern('linearizable').lean()
    if (rival) return again(ctx, rival, request)
    if (attempt === ATTEMPTS) throw reserved(ticket.id)
  }
})

/** Null where a unique index refused it: the id, the ticket, which one order holds at a time, the number, or the slot. */
async function insert(ctx: Context, order: Omit<OrderDocument, 'hold' | 'slot'>): Promise<OrderDocument | null> {
  const model = ctx.model(Order)
  try {
    return await withEvents(ctx, emits, async (tx) => {
      const { next: hold, latest } = await holdsOf(ctx, order.ticketId, tx)
      if (latest) refuseTooSoon(ctx, order, latest)
      const slot = await freeSlot(ctx, order, tx)
      await model.create([{ ...order, hold, slot }], { session: tx.session })
      const saved = await model.findById(order._id).session(tx.session).orFail().lean()
      emit(tx, saved)
      return saved
    })
  } catch (error) {
    if ((error as { code?: unknown }).code !== DUPLICATE_KEY) throw error
    return null
  }
}

/** Whoever let a ticket go unpaid leaves it to others for a while: nobody holds it for ever without paying. */
function refuseTooSoon(ctx: Context, order: Pick<OrderDocument, 'userId'>, latest: OrderDocument): void {
  const letGo = latest.reason === 'expired' || latest.reason === 'cancelled_by_user'
  if (latest.state !== 'cancelled' || !letGo || !latest.userId.equals(order.userId)) return
  const retryAfterMs = latest.updatedAt.getTime() + ctx.config.orderPauseMs - ctx.now().getTime()
  if (retryAfterMs > 0) throw new Refusal('order_too_soon', 'The ticket is for others for a while.', { retryAfterMs })
}

/** One of the buyer's slots that no open order has; of two orders that choose the same one, its index refuses one. */
async function freeSlot(
  ctx: Context,
  { _id, userId }: Pick<OrderDocument, '_id' | 'userId'>,
  tx: OrderTransaction,
): Promise<number> {
  const open = await ctx
    .model(Order)
    .find({ userId, state: { $in: [...OPEN] } }, { slot: 1 })
    .session(tx.session)
    .lean()
  const taken = new Set(open.map(({ slot }) => slot))
  const free = Array.from({ length: ctx.config.maxOpenOrders }, (_, slot) => slot).filter((slot) => !taken.has(slot))
  // Orders that are made at once begin at different ones.
  const slot = free[Number.parseInt(_id.toHexString().slice(-6), 16) % free.length]
  if (slot === undefined) throw new Refusal('too_many_orders', `There are ${taken.size} unpaid orders already.`)
  return slot
}

/** The same id again: the first outcome, as it stands by now. */
async function again(ctx: Context, earlier: OrderDocument, request: OrderDocument['request']) {
  if (isSameRequest(earlier.request, request)) return locked(ctx, earlier)
  throw new Refusal('order_id_reused', 'This orderId was sent before with another input or by another caller.')
}

/**
 * Answers the order when its ticket is locked, so that nobody changes what the buyer saw. Without an answer from there the
 * order stands all the same: its event locks the ticket.
 */
async function locked(ctx: Context, order: OrderDocument) {
  if (order.state === 'created') await ctx.call(tickets.reserveTicket, presentOrderNews(order))
  return presentOrder(order)
}

const reserved = (ticketId: string): Refusal =>
  new Refusal('ticket_reserved', 'Another order holds the ticket, or bought it.', { ticketId })

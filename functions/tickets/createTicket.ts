import mongoose from 'mongoose'
import { Refusal } from '../../platform/contract/errors.js'
import { withEvents } from '../../platform/events/events.js'
import { define } from '../../platform/runtime/function.js'
import { insertOnce } from '../../platform/runtime/insertOnce.js'
import { requestOf } from '../../platform/runtime/requests.js'
import { emits, tickets } from './contract.js'
import { emit, presentTicket } from './ticket.changes.js'
import { Ticket, type TicketDocument } from './ticket.model.js'

export default define(tickets.createTicket, async (ctx, input) => {
  if (!ctx.caller) throw new Refusal('unauthenticated', 'A ticket has a seller: sign in first.')
  const at = ctx.now()
  const model = ctx.model(Ticket)
  const ticket: TicketDocument = {
    _id: new mongoose.Types.ObjectId(input.ticketId),
    userId: new mongoose.Types.ObjectId(ctx.caller.userId),
    title: input.title,
    price: input.price,
    hold: 0,
    version: 0,
    request: requestOf(ctx, input),
    createdAt: at,
    updatedAt: at,
  }
  return insertOnce(model, 'ticket', ticket, presentTicket, () =>
    withEvents(ctx, emits, async (tx) => {
      await model.create([ticket], { session: tx.session })
      const saved = await model.findById(ticket._id).session(tx.session).orFail().lean()
      emit(tx, 'ticket:created', saved)
      return presentTicket(saved)
    }),
  )
})

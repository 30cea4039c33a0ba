import mongoose from 'mongoose'
import { Refusal } from '../../platform/contract/errors.js'
import { withEvents } from '../../platform/events/events.js'
import { define } from '../../platform/runtime/function.js'
import { long } from '../../platform/database/long.js'
import { tickets } from './contract.js'
import { changeTicket, presentTicket } from './ticket.changes.js'
import { Ticket } from './ticket.model.js'

export default define(tickets.updateTicket, async (ctx, { ticketId, version, set }) => {
  const { title, price } = set
  const ownOnly = ctx.caller?.role === 'user' && { userId: new mongoose.Types.ObjectId(ctx.caller.userId) }
  const changed = await withEvents(ctx, 'tickets', (tx) =>
    changeTicket(
      ctx,
      tx,
      // The lock is part of the guard: an order that takes it just now is either before this edit, or sees it.
      { _id: new mongoose.Types.ObjectId(ticketId), version, orderId: null, ...ownOnly },
      { $set: { ...(title !== undefined && { title }), ...(price !== undefined && { price: long(price) }) } },
    ),
  )
  if (changed) return presentTicket(changed)

  const current = await ctx.model(Ticket).findById(ticketId).lean()
  if (!current) throw new Refusal('ticket_not_found', `There is no ticket ${ticketId}.`)
  if (ownOnly && !current.userId.equals(ownOnly.userId))
    throw new Refusal('forbidden', 'The ticket is of another seller.')
  if (current.orderId) {
    throw new Refusal('ticket_reserved', 'An order holds the ticket, or bought it.', {
      orderId: current.orderId.toHexString(),
    })
  }
  throw new Refusal('version_conflict', `The ticket is at version ${current.version} by now.`, {
    version: current.version,
  })
})

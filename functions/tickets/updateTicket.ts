import mongoose from 'mongoose'
import { Refusal } from '../../platform/contract/errors.js'
import { withEvents } from '../../platform/events/events.js'
import { define } from '../../platform/runtime/function.js'
import { updateVersion } from '../../platform/runtime/updateVersion.js'
import { long } from '../../platform/database/long.js'
import { emits, tickets } from './contract.js'
import { changeTicket, presentTicket } from './ticket.changes.js'
import { Ticket } from './ticket.model.js'

export default define(tickets.updateTicket, async (ctx, { ticketId, version, set }) => {
  const { title, price } = set
  const ownOnly = ctx.caller?.role === 'user' && { userId: new mongoose.Types.ObjectId(ctx.caller.userId) }
  const changed = await updateVersion(ctx.model(Ticket), 'ticket', {
    id: ticketId,
    version,
    // The lock is part of the guard: an order that takes it just now is either before this edit, or sees it.
    guard: { orderId: null, ...ownOnly },
    set: { ...(title !== undefined && { title }), ...(price !== undefined && { price: long(price) }) },
    updatedAt: ctx.now(),
    write: (filter, change) => withEvents(ctx, emits, (tx) => changeTicket(ctx, tx, filter, change)),
    refusal(current) {
      if (!current) return new Refusal('ticket_not_found', `There is no ticket ${ticketId}.`)
      if (ownOnly && !current.userId.equals(ownOnly.userId))
        return new Refusal('forbidden', 'The ticket is of another seller.')
      if (!current.orderId) return undefined
      const orderId = current.orderId.toHexString()
      return new Refusal('ticket_reserved', 'An order holds the ticket, or bought it.', { orderId })
    },
  })
  return presentTicket(changed)
})

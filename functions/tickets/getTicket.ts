import { Refusal } from '../../platform/contract/errors.js'
import { define } from '../../platform/runtime/function.js'
import { tickets } from './contract.js'
import { presentTicket } from './ticket.changes.js'
import { Ticket } from './ticket.model.js'

export default define(tickets.getTicket, async (ctx, { ticketId }) => {
  const ticket = await ctx.model(Ticket).findById(ticketId).lean()
  if (!ticket) throw new Refusal('ticket_not_found', `There is no ticket ${ticketId}.`)
  return presentTicket(ticket)
})

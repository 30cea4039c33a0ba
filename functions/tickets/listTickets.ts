import mongoose from 'mongoose'
import { define } from '../../platform/runtime/function.js'
import { pageOf } from '../../platform/runtime/pages.js'
import { tickets } from './contract.js'
import { presentTicket } from './ticket.changes.js'
import { Ticket } from './ticket.model.js'

export default define(tickets.listTickets, async (ctx, { userId, free, limit, cursor }) => {
  const { documents, nextCursor } = await pageOf(
    ctx.model(Ticket),
    { ...(userId && { userId: new mongoose.Types.ObjectId(userId) }), ...(free && { orderId: null }) },
    { limit, cursor },
    'oldestFirst',
  )
  return { items: documents.map(presentTicket), nextCursor }
})

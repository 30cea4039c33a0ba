import mongoose from 'mongoose'
import type { z } from 'zod'
import { Refusal } from '../../platform/contract/errors.js'
import { saveCopy } from '../../platform/events/copies.js'
import type { Context } from '../../platform/runtime/function.js'
import { long } from '../../platform/database/long.js'
import { tickets, type ticket } from '../tickets/contract.js'
import { TicketCopy, type TicketCopyDocument } from './ticketCopy.model.js'

const { ObjectId } = mongoose.Types

/** What the copy of a ticket has of it. */
export const copiedFields = ({ userId, title, price, orderId }: z.output<typeof ticket>) => ({
  userId: new ObjectId(userId),
  title,
  price: long(price),
  orderId: orderId === undefined ? null : new ObjectId(orderId),
})

/** The copy of a ticket; one that has not come yet is fetched from the ticket's owner. Throws `ticket_not_found`. */
export async function ticketCopy(ctx: Context, ticketId: string): Promise<TicketCopyDocument> {
  const model = ctx.model(TicketCopy)
  const known = await model.findById(ticketId).lean()
  if (known) return known
  const fetched = await ctx.call(tickets.getTicket, { ticketId })
  await saveCopy(model, fetched, copiedFields(fetched))
  const saved = await model.findById(ticketId).lean()
  if (!saved) throw new Refusal('unavailable', 'The ticket is being made just now.')
  return saved
}

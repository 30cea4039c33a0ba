import { z } from 'zod'
import { defineContract, operation, subscriber } from '../../platform/contract/contract.js'
import { defineEvents } from '../../platform/contract/events.js'
import { id, listOf, name, page, price, time, version } from '../../platform/contract/types.js'

export const ticket = z.object({
  id,
  /** The seller. */
  userId: id,
  title: z.string(),
  price,
  /** The order that holds it, or bought it. */
  orderId: id.optional(),
  version,
  createdAt: time,
  updatedAt: time,
})

/** What a ticket must know of an order: which hold it is, and whether it still stands. */
export const orderHold = z.object({ id, ticketId: id, hold: z.int().min(1), state: z.string() })

export const emits = defineEvents('tickets', {
  'ticket:created': { when: 'A ticket is up for sale.', payload: ticket },
  'ticket:updated': { when: 'Its title or price changed, or an order holds it, or lets it go.', payload: ticket },
})

declare module '../../platform/contract/events.js' {
  interface EmittedEvents {
    tickets: typeof emits
  }
}

export const tickets = defineContract('tickets', {
  createTicket: operation({
    summary: "Puts a ticket up for sale, the caller's own.",
    access: 'user',
    input: z.strictObject({ ticketId: id.optional(), title: name, price }),
    output: ticket,
    errors: ['ticket_id_reused'],
    quota: { count: 'tickets' },
    deadline: 'quick',
    idempotent: true,
    newId: 'ticketId',
  }),
  updateTicket: operation({
    summary: 'Changes title or price, while no order holds the ticket: own ones, or any for admins.',
    access: 'user',
    input: z.strictObject({
      ticketId: id,
      version,
      set: z
        .strictObject({ title: name.optional(), price: price.optional() })
        .refine((set) => Object.keys(set).length > 0, 'needs at least one field'),
    }),
    output: ticket,
    errors: ['ticket_not_found', 'forbidden', 'ticket_reserved', 'version_conflict'],
    deadline: 'quick',
    idempotent: false,
    key: ({ ticketId }) => ticketId,
  }),
  getTicket: operation({
    summary: 'One ticket.',
    access: 'user',
    input: z.strictObject({ ticketId: id }),
    output: ticket,
    errors: ['ticket_not_found'],
    deadline: 'quick',
    idempotent: true,
    reads: true,
  }),
  listTickets: operation({
    summary: 'Tickets, oldest first: all, of one seller, or only those that nobody holds.',
    access: 'user',
    input: z.strictObject({ userId: id.optional(), free: z.boolean().default(false), ...page }),
    output: listOf(ticket),
    errors: ['invalid_input'],
    deadline: 'quick',
    idempotent: true,
    reads: true,
  }),
  reserveTicket: operation({
    summary: 'Locks a ticket for a new order, sooner than its event would.',
    access: 'internal',
    input: orderHold,
    output: z.object({}),
    errors: [],
    deadline: 'quick',
    idempotent: true,
    key: ({ ticketId }) => ticketId,
  }),
  lockTicket: subscriber({
    summary: "Sets or takes off a ticket's lock, as its orders come and go.",
    payload: orderHold,
    subscribes: ['order:created', 'order:completed', 'order:cancelled'],
  }),
})

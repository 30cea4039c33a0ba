import { isRefusal } from '@holdfast/client'
import type { Kitchen } from './kitchen.js'

/** Hold something before paying: an order holds its ticket until it expires, is paid, or is cancelled. */
export default async function ({ ada, bob, admin }: Kitchen): Promise<void> {
  const ticket = await bob.holdfast.createTicket({ title: 'A play', price: 2000 })
  const order = await ada.holdfast.createOrder({ ticketId: ticket.id, maxPrice: 2000 })
  console.log(order.state, order.price) // created 2000

  try {
    await admin.createOrder({ ticketId: ticket.id })
  } catch (error) {
    if (!isRefusal(error, 'createOrder')) throw error
    console.log(error.code) // ticket_reserved
  }

  const cancelled = await ada.holdfast.cancelOrder({ orderId: order.id })
  console.log(cancelled.state) // cancelled
}

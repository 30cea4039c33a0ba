import type { Kitchen } from './kitchen.js'

/** Buy a ticket: pay the order from the balance, and hear when it is yours. */
export default async function ({ ada, bob }: Kitchen): Promise<void> {
  const ticket = await bob.holdfast.createTicket({ title: 'A concert', price: 1500 })
  const news = ada.holdfast.news()
  await news.following

  const order = await ada.holdfast.createOrder({ ticketId: ticket.id })
  const charge = await ada.holdfast.createCharge({ orderId: order.id, method: 'balance' })
  console.log(charge.state, charge.amount) // paid 1500
  for await (const entry of news) {
    if (entry.name === 'order:updated' && entry.id === order.id && entry.state === 'complete') break
  }
  const { orderId } = await bob.holdfast.getTicket({ ticketId: ticket.id })
  console.log(orderId === order.id) // true
}

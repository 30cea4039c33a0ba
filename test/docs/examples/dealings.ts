import { calendarProjection } from '../../../functions/calendars/calendar.projection.js'
import { calendars } from '../../../functions/calendars/contract.js'
import { orders } from '../../../functions/orders/contract.js'
import { payments } from '../../../functions/payments/contract.js'
import { tickets } from '../../../functions/tickets/contract.js'
import { hours, type Person, type Stage } from './recorder.js'

/** A ticket is offered, ordered, paid and refunded. */
export async function ticket({ ask, refused, store }: Stage, ada: Person, bob: Person): Promise<void> {
  const { id: ticketId, version } = await ask(tickets.createTicket, { title: 'A concert', price: 1500 }, bob)
  await ask(tickets.updateTicket, { ticketId, version, set: { title: 'A concert, row 5' } }, bob)
  await ask(tickets.listTickets, { free: true }, ada)
  const order = await ask(orders.createOrder, { ticketId, maxPrice: 1500 }, ada)
  await store.settle()
  await ask(tickets.getTicket, { ticketId }, ada)
  const charge = await ask(payments.createCharge, { orderId: order.id, method: 'balance' }, ada)
  await store.settle()
  await ask(orders.getOrder, { orderId: order.id }, ada)
  await ask(orders.listOrders, { state: 'complete' }, ada)
  await ask(payments.getCharge, { chargeId: charge.id }, ada)
  const refunded = await ask(payments.refundCharge, { chargeId: charge.id, amount: 500 })
  await store.settle()
  await ask(payments.listCharges, { orderId: order.id }, ada)
  const refundId = refunded.refunds[0]?.id ?? ''
  await refused(payments.resolveRefund, { chargeId: charge.id, refundId, how: 'retry' })
  await ask(payments.recoverCharges, {})
  await ask(payments.recoverPayments, {})

  const other = await ask(tickets.createTicket, { title: 'A play', price: 1000 }, bob)
  const unpaid = await ask(orders.createOrder, { ticketId: other.id }, ada)
  await store.settle()
  await ask(orders.cancelOrder, { orderId: unpaid.id }, ada)
  await store.settle()
}

/** Appointments in a calendar: Ada is the buyer, Bob the seller. */
export async function appointments({ ask, store }: Stage, ada: Person, bob: Person): Promise<void> {
  const invite = (from: number, price: number, note: string) =>
    ask(calendars.inviteToBooking, { sellerId: bob.userId, ...hours(from, from + 1), note, price }, ada)
  const invitationId = (await invite(72, 3000, 'Piano lesson')).id
  await ask(calendars.rescheduleInvitation, { invitationId, ...hours(73, 74) }, ada)
  await ask(calendars.confirmInvitation, { invitationId }, bob)
  await ask(calendars.proposeMove, { invitationId, ...hours(75, 76) }, bob)
  await ask(calendars.answerMove, { invitationId, accept: true }, ada)
  await ask(calendars.getInvitation, { invitationId }, ada)
  while ((await store.use(calendarProjection).advance()) > 0);
  const shown = { ...hours(72, 96), as: 'seller', timeZone: 'Europe/Lisbon' } as const
  await ask(calendars.getCalendar, shown, bob)
  await ask(calendars.exportCalendar, shown, bob)
  await ask(calendars.cancelInvitation, { invitationId, reason: 'I am ill' }, bob)
  const second = await invite(100, 0, 'A trial lesson')
  await ask(calendars.withdrawInvitation, { invitationId: second.id }, ada)
  const third = await invite(100, 0, 'A trial lesson')
  await ask(calendars.rejectInvitation, { invitationId: third.id, reason: 'I am away' }, bob)
  await ask(calendars.recoverInvitations, {})
}

import { call, own, update } from './calls.js'
import { flag, money, PAGING, people, required, text, time, whole, yesNo } from './fields.js'

const ID = text('an id: 24 hex digits')
const PERIOD = { from: time('begin'), to: time('end') }
const AGAIN = text('an id of yours: with the same one it is done once')

/** What a user does. Where it is about the user, `userId` is filled in. */
export const USER_CALLS = [
  own(call('me', 'getUser', 'your name, balance and bookings')),
  own(
    call('ledger', 'listLedger', 'what changed your balance, newest first', {
      options: PAGING,
      columns: ['at', 'cause', 'causeId', 'change', 'balanceAfter'],
    }),
  ),
  own(
    call('sessions list', 'listSessions', 'where you are signed in', {
      options: PAGING,
      columns: ['id', 'device', 'network', 'createdAt', 'lastUsedAt', 'current'],
    }),
  ),
  call('sessions end', 'revokeSession', 'ends one of your sessions', { takes: { sessionId: ID } }),
  call('cars', 'listCars', 'cars; with a period those that are free in it', {
    options: { ...PERIOD, ...PAGING },
    columns: ['id', 'name', 'pricePerHour'],
  }),
  call('rooms', 'listRooms', 'rooms; with a period those that are free in it', {
    options: { ...PERIOD, ...PAGING },
    columns: ['id', 'name', 'pricePerNight', 'timeZone'],
  }),
  call('trains', 'listTrains', 'trains', {
    options: { route: text('route'), ...PERIOD, seats: whole('so many are free'), ...PAGING },
    columns: ['id', 'route', 'departureTime', 'arrivalTime', 'availableSeats', 'pricePerSeat'],
  }),
  call('book car', 'createBooking', 'books a car', {
    takes: { carId: ID, ...PERIOD },
    options: { maxCost: money('not if it costs more'), bookingId: AGAIN },
  }),
  call('book room', 'createBooking', 'books a room', {
    takes: { roomId: ID, ...PERIOD },
    options: { maxCost: money('not if it costs more'), bookingId: AGAIN },
  }),
  call('book seats', 'startBooking', 'books seats on a train', {
    takes: { trainId: ID, passengers: people('who travels') },
    options: { lobbyId: text('told in this lobby'), maxCost: money('not if it costs more'), bookingId: AGAIN },
  }),
  call('bookings list', 'listBookings', 'your bookings, newest first', {
    options: { standing: text('active, cancelled or ended'), ...PAGING },
    columns: ['id', 'state', 'standing', 'from', 'to', 'cost', 'reason'],
  }),
  call('bookings show', 'getBooking', 'one booking', { takes: { bookingId: ID } }),
  call('bookings cancel', 'cancelBooking', 'cancels a booking and gives the money back', { takes: { bookingId: ID } }),

  call('tickets list', 'listTickets', 'tickets for sale and sold', {
    options: { free: flag('not sold yet'), ...PAGING },
    columns: ['id', 'title', 'price', 'userId', 'orderId'],
  }),
  call('tickets sell', 'createTicket', 'puts a ticket up for sale', {
    takes: { title: text('title'), price: money('price') },
  }),
  update('tickets set', 'updateTicket', 'changes a ticket of yours', {
    takes: { ticketId: ID },
    sets: { title: text('title'), price: money('price') },
  }),
  call('orders add', 'createOrder', 'reserves a ticket for you', {
    takes: { ticketId: ID },
    options: { maxPrice: money('not if it costs more'), orderId: AGAIN },
  }),
  call('orders pay', 'createCharge', 'pays an order', {
    takes: { orderId: ID },
    options: { method: required(text('balance or stripe')), paymentMethodId: text("Stripe's"), chargeId: AGAIN },
  }),
  call('orders list', 'listOrders', 'your orders', {
    options: PAGING,
    columns: ['id', 'ticketId', 'price', 'state', 'reason', 'expiresAt'],
  }),
  call('orders cancel', 'cancelOrder', 'lets a ticket go', { takes: { orderId: ID } }),

  call('invite', 'inviteToBooking', "asks for an appointment in somebody's calendar", {
    takes: { sellerId: ID, ...PERIOD, note: text('what it is about') },
    options: { price: money('what you pay'), invitationId: AGAIN },
  }),
  call('invitations show', 'getInvitation', 'one invitation', { takes: { invitationId: ID } }),
  call('invitations confirm', 'confirmInvitation', 'takes the appointment', { takes: { invitationId: ID } }),
  call('invitations reject', 'rejectInvitation', 'does not take it', {
    takes: { invitationId: ID, reason: text('why') },
  }),
  call('invitations withdraw', 'withdrawInvitation', 'takes an invitation of yours back', {
    takes: { invitationId: ID },
  }),
  call('invitations cancel', 'cancelInvitation', 'cancels an appointment', {
    takes: { invitationId: ID, reason: text('why') },
  }),
  call('invitations move', 'proposeMove', 'proposes another time', { takes: { invitationId: ID, ...PERIOD } }),
  call('invitations answer', 'answerMove', 'answers such a proposal', {
    takes: { invitationId: ID, accept: yesNo('whether you take it') },
  }),
  call('calendar', 'getCalendar', 'your appointments', {
    takes: { as: text('seller or buyer'), ...PERIOD },
    options: { timeZone: text('as Europe/Berlin') },
    columns: ['id', 'state', 'from', 'to', 'buyerId', 'sellerId', 'price', 'note'],
  }),

  call('messages list', 'listConversations', 'whom you write with', {
    options: PAGING,
    columns: ['withUserId', 'messages', 'unread', 'lastAt'],
  }),
  call('messages show', 'getConversation', 'what you wrote each other', {
    takes: { withUserId: ID },
    options: PAGING,
    columns: ['sentAt', 'fromUserId', 'text', 'state'],
  }),
  call('messages send', 'sendMessage', 'writes to somebody', { takes: { toUserId: ID, text: text('what') } }),
  call('messages block', 'blockUser', 'takes no messages and invitations from somebody', { takes: { userId: ID } }),
  call('messages unblock', 'unblockUser', 'takes them again', { takes: { userId: ID } }),

  call('lobbies list', 'listLobbies', 'lobbies of trains', {
    options: { trainId: ID, ...PAGING },
    columns: ['id', 'trainId', 'createdAt'],
  }),
]

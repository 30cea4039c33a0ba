import { call, update } from './calls.js'
import { flag, list, money, PAGING, people, required, text, time, whole } from './fields.js'

const ID = text('an id: 24 hex digits')
const PERIOD = { from: time('begin'), to: time('end') }
const BOOKING = ['id', 'userId', 'state', 'standing', 'from', 'to', 'cost', 'reason'] as const

/** What an admin does in a day. */
export const ADMIN_CALLS = [
  call('users list', 'listUsers', 'users, by name or e-mail where --query says so', {
    options: { query: text('in the name or e-mail address'), ...PAGING },
    columns: ['id', 'name', 'email', 'role', 'balance', 'createdAt'],
  }),
  call('users show', 'getUser', 'one user', { takes: { userId: ID } }),
  call('users add', 'createUser', 'makes a user', {
    takes: { email: text('e-mail address'), name: text('name') },
    options: { role: text('user or admin'), password: text('8 characters or more'), userId: text('the id it gets') },
  }),
  update('users set', 'updateUser', 'changes a user', {
    takes: { userId: ID },
    sets: { name: text('name'), email: text('e-mail address'), role: text('user or admin') },
  }),
  call('users password', 'setPassword', 'gives a user a new password, and ends their sessions', {
    takes: { userId: ID, newPassword: text('8 characters or more') },
  }),
  call('users sign-out', 'signOutEverywhere', 'ends all sessions of a user', { takes: { userId: ID } }),
  call('users ledger', 'listLedger', 'what changed a balance, newest first', {
    takes: { userId: ID },
    options: PAGING,
    columns: ['at', 'cause', 'causeId', 'change', 'balanceAfter'],
  }),
  call('deposit', 'depositFunds', "adds to a user's balance", {
    takes: { userId: ID, amount: money('amount') },
    options: { depositId: text('an id of yours: with the same one it is done once') },
  }),
  call('withdraw', 'withdrawFunds', "takes from a user's balance", {
    takes: { userId: ID, amount: money('amount') },
    options: { withdrawalId: text('an id of yours: with the same one it is done once') },
  }),

  call('keys list', 'listApiKeys', 'keys of backend apps', {
    options: PAGING,
    columns: ['id', 'name', 'userId', 'scopes', 'expiresAt', 'lastUsedAt', 'revokedAt'],
  }),
  call('keys add', 'createApiKey', 'makes a key, and shows it this once', {
    takes: { name: text('whose it is'), scopes: list('as users:read,bookings:write') },
    options: { userId: text('it calls as this user, not as you'), expiresAt: time('works until then') },
  }),
  call('keys revoke', 'revokeApiKey', 'ends a key within two seconds', { takes: { apiKeyId: ID } }),

  call('cars list', 'listCars', 'cars; with a period those that are free in it', {
    options: { ...PERIOD, ...PAGING },
    columns: ['id', 'name', 'pricePerHour', 'retired'],
  }),
  call('cars show', 'getCar', 'one car', { takes: { carId: ID }, options: PERIOD }),
  call('cars add', 'createCar', 'puts a car up for booking', {
    takes: { name: text('name'), pricePerHour: money('price an hour') },
    options: { carId: text('the id it gets') },
  }),
  update('cars set', 'updateCar', 'changes a car', {
    takes: { carId: ID },
    sets: { name: text('name'), pricePerHour: money('price an hour'), retired: flag('no new bookings') },
  }),
  call('rooms list', 'listRooms', 'rooms; with a period those with a unit free', {
    options: { ...PERIOD, ...PAGING },
    columns: ['id', 'name', 'pricePerNight', 'units', 'timeZone', 'retired'],
  }),
  call('rooms show', 'getRoom', 'rooms of one kind', { takes: { roomId: ID }, options: PERIOD }),
  call('rooms add', 'createRoom', 'puts rooms of a kind up for booking', {
    takes: { name: text('name'), pricePerNight: money('price a night'), units: whole('how many there are') },
    options: { timeZone: text('as Europe/Berlin; UTC unless told'), roomId: text('the id they get') },
  }),
  update('rooms set', 'updateRoom', 'changes rooms', {
    takes: { roomId: ID },
    sets: {
      name: text('name'),
      pricePerNight: money('price a night'),
      units: whole('how many there are'),
      retired: flag('no new bookings'),
    },
  }),
  call('trains list', 'listTrains', 'trains', {
    options: { route: text('route'), ...PERIOD, seats: whole('so many are free'), ...PAGING },
    columns: ['id', 'route', 'departureTime', 'arrivalTime', 'availableSeats', 'seats', 'pricePerSeat'],
  }),
  call('trains show', 'getTrain', 'one train', { takes: { trainId: ID } }),
  call('trains add', 'createTrain', 'puts a train up for booking', {
    takes: {
      route: text('route'),
      departureTime: time('departure'),
      arrivalTime: time('arrival'),
      availableSeats: whole('seats'),
      pricePerSeat: money('price a seat'),
    },
    options: { trainId: text('the id it gets') },
  }),
  call('trains call-off', 'callOffTrain', 'gives everybody their money back', {
    takes: { trainId: ID },
    options: { reason: text('told to those who booked') },
  }),
  call('lobbies list', 'listLobbies', 'lobbies of trains', {
    options: { trainId: ID, ...PAGING },
    columns: ['id', 'trainId', 'createdAt'],
  }),
  call('lobbies add', 'createLobby', 'opens a lobby of a train', { takes: { trainId: ID } }),
  call('lobbies delete', 'deleteLobby', 'closes a lobby', { takes: { lobbyId: ID } }),
  call('lobbies remove', 'removeFromLobby', 'puts somebody out of a lobby', { takes: { lobbyId: ID, userId: ID } }),
  call('tickets list', 'listTickets', 'tickets for sale and sold', {
    options: { userId: text('of this seller'), free: flag('not sold yet'), ...PAGING },
    columns: ['id', 'title', 'price', 'userId', 'orderId'],
  }),
  call('orders list', 'listOrders', 'orders of tickets', {
    options: { userId: text('of this buyer'), state: text('as awaiting_payment'), ...PAGING },
    columns: ['id', 'userId', 'ticketId', 'price', 'state', 'reason', 'expiresAt'],
  }),
  call('charges list', 'listCharges', 'what was paid for orders', {
    options: { userId: text('of this buyer'), orderId: ID, attention: flag('where an admin has to decide'), ...PAGING },
    columns: ['id', 'orderId', 'userId', 'amount', 'method', 'state', 'refunded', 'reason'],
  }),
  call('charges refund', 'refundCharge', 'gives back what was paid, or a part of it', {
    takes: { chargeId: ID },
    options: { amount: money('a part'), refundId: text('an id of yours: with the same one it is done once') },
  }),
  call('charges resolve', 'resolveRefund', 'ends a refund that can not go on by itself', {
    takes: { chargeId: ID, refundId: ID, how: text('retry, to_balance, paid_outside, to_seller, collect or waive') },
  }),

  call('bookings list', 'listBookings', 'bookings, newest first', {
    options: {
      userId: text('of this user'),
      state: text('as COMMITTED'),
      standing: text('active, cancelled or ended'),
      ...PAGING,
    },
    columns: BOOKING,
  }),
  call('bookings show', 'getBooking', 'one booking', { takes: { bookingId: ID } }),
  call('bookings trace', 'traceBooking', 'where a booking stands, step by step', { takes: { bookingId: ID } }),
  call('bookings add', 'createBooking', 'books a car or rooms for a user', {
    options: {
      userId: required(text('for this user')),
      carId: text('this car'),
      roomId: text('or a room of these'),
      from: required(PERIOD.from),
      to: required(PERIOD.to),
      bookingId: text('the id it gets: with the same one it is done once'),
      maxCost: money('not if it costs more'),
    },
  }),
  call('bookings seats', 'startBooking', 'books seats on a train for a user', {
    options: {
      userId: required(text('for this user')),
      trainId: required(ID),
      passengers: required(people('who travels')),
      maxCost: money('not if it costs more'),
    },
  }),
  call('bookings cancel', 'cancelBooking', 'cancels a booking and gives the money back', { takes: { bookingId: ID } }),
  call('bookings stuck', 'listStuckBookings', 'bookings that wait for longer than they should', {
    options: { parked: flag('that nobody retries any more'), ...PAGING },
    columns: BOOKING,
  }),
  call('bookings recover', 'recoverBookings', 'takes stuck bookings to their end', {
    options: { bookingId: text('this one alone, also if parked'), dryRun: flag('only say which') },
  }),
  call('invitations recover', 'recoverInvitations', 'takes stuck appointments to their end', {
    options: { invitationId: text('this one alone, also if parked') },
  }),
  call('events dead', 'listDeadEvents', 'events that could not be delivered', {
    options: PAGING,
    columns: ['eventId', 'type', 'createdAt', 'deadAt'],
  }),
  call('events redrive', 'redriveEvent', 'delivers a dead event again', { takes: { eventId: ID } }),
  call('audit', 'auditBooks', 'whether the books are right'),
  call('status', 'getStatus', 'how the system is', {
    options: { domain: text('of this domain alone') },
    leavesOut: ['functions'],
  }),
]

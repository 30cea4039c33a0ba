import mongoose, { type mongo } from 'mongoose'
import { bookings } from '../../functions/bookings/contract.js'
import { calendars } from '../../functions/calendars/contract.js'
import { calendarProjection } from '../../functions/calendars/calendar.projection.js'
import { feeds } from '../../functions/feeds/contract.js'
import { lobbies } from '../../functions/lobbies/contract.js'
import { messageBoxProjection } from '../../functions/messages/messageBox.projection.js'
import { messages } from '../../functions/messages/contract.js'
import { orders } from '../../functions/orders/contract.js'
import { payments } from '../../functions/payments/contract.js'
import { tickets } from '../../functions/tickets/contract.js'
import { trains } from '../../functions/trains/contract.js'
import { users } from '../../functions/users/contract.js'
import type { CallInput, Operation, Output } from '../../platform/contract/contract.js'
import type { Caller } from '../../platform/contract/caller.js'
import type { System } from '../../platform/runtime/system.js'

const { ObjectId } = mongoose.Types
type Id = mongoose.Types.ObjectId

/** Whose each entity is, and which there are. */
export interface World {
  user: Caller
  other: Caller
  admin: Caller
  ids: Record<string, string>
}

/** A page's worth of everything, and a little. */
const PAGE = 220
/**
 * What something remembers: as many as fit into a document of 1 MB, beyond which it takes no more. Of a lobby, the people
 * of two full gateway workers.
 */
const HELD = { car: 18_000, room: 13_500, user: 50_000, lobby: 20_000 }
const MANY_MONEY = 1_000_000_000
/** Two bytes of JSON each, and allowed everywhere. */
const LONG = '"'
const NAME = LONG.repeat(200)
const TIMES = { from: '2031-06-01T09:00:00.000Z', to: '2031-06-01T10:00:00.000Z' }
export const YEAR = { from: '2031-01-01T00:00:00.000Z', to: '2031-12-31T00:00:00.000Z' }

const objectIds = (count: number): Id[] => Array.from({ length: count }, () => new ObjectId())

/**
 * Fills a system's databases with as much as its limits allow where an operation may answer it: one of each made by its
 * operation, and then, because a hundred thousand requests take too long, copies of its document beside it.
 */
export async function fillWorld(system: System): Promise<World> {
  const world = await people(system)
  const { user, other, admin, ids } = world
  const run = runner(system)

  ids['carId'] = (await run(bookings.createCar, { name: NAME, pricePerHour: 0 }, admin)).id
  ids['roomId'] = (await run(bookings.createRoom, { name: NAME, pricePerNight: 0, units: 1000 }, admin)).id
  const terms = { departureTime: TIMES.from, arrivalTime: TIMES.to, availableSeats: 2000, pricePerSeat: 0 }
  ids['trainId'] = (await run(trains.createTrain, { route: NAME, ...terms }, admin)).id
  ids['lobbyId'] = (await run(lobbies.createLobby, { trainId: ids['trainId'] }, admin)).id
  await run(lobbies.removeFromLobby, { lobbyId: ids['lobbyId'], userId: new ObjectId().toHexString() }, admin)
  await copies(collectionOf(system, 'trains'), ids['trainId'], PAGE)
  await copies(collectionOf(system, 'lobbies'), ids['lobbyId'], PAGE)
  await collectionOf(system, 'lobbies', 'lobbyPresence').insertOne({
    _id: `${new ObjectId().toHexString()}:${ids['lobbyId']}` as never,
    lobbyId: new ObjectId(ids['lobbyId']),
    userIds: objectIds(HELD.lobby),
    until: new Date(Date.now() + 24 * 3_600_000),
  })

  await fillBookings(system, world)
  await fillThings(system, world)
  await fillStore(system, world)

  const text = LONG.repeat(10_240)
  for (let i = 0; i < PAGE; i++) await run(messages.sendMessage, { toUserId: other.userId, text }, user)
  ids['messageId'] = (await run(messages.sendMessage, { toUserId: user.userId, text }, other)).id
  while ((await system.use(messageBoxProjection).advance()) > 0);
  await fillConversations(system, world)

  const invite = { sellerId: other.userId, ...TIMES, note: LONG.repeat(20) }
  ids['invitationId'] = (await run(calendars.inviteToBooking, invite, user)).id
  while ((await system.use(calendarProjection).advance()) > 0);
  await fillCalendar(system, world)

  const entry = (i: number) => ({ key: `k${i}`, name: 'a:b', data: { text }, at: TIMES.from })
  const entries = Array.from({ length: 20 }, (_, i) => entry(i))
  await run(feeds.appendToFeed, { feed: `user:${user.userId}`, entries }, null)
  return world
}

export const runner =
  (system: System) =>
  <Op extends Operation>(operation: Op, input: CallInput<Op>, caller: Caller | null): Promise<Output<Op>> =>
    system.call(operation, input, { caller, requestId: system.newId() })

async function people(system: System): Promise<World> {
  const run = runner(system)
  const make = async (name: string, role: 'user' | 'admin'): Promise<Caller> => {
    const email = `${name}@example.com`
    const { id } = await run(users.createUser, { name: NAME, email, role, password: 'a pass phrase' }, null)
    await run(users.depositFunds, { userId: id, amount: MANY_MONEY }, null)
    return { userId: id, role }
  }
  const user = await make('user', 'user')
  const world = { user, other: await make('other', 'user'), admin: await make('admin', 'admin') }
  const collection = collectionOf(system, 'users')
  await copies(collection, user.userId, PAGE, (i) => ({ email: `copy-${i}@example.com` }))
  // An audit reads them all: as many as one makes in a busy day, at one who does.
  await collection.updateOne({ _id: new ObjectId(user.userId) }, { $set: { bookings: objectIds(HELD.user) } })
  await collection.updateMany({ email: /^copy-/ }, { $set: { bookings: objectIds(HELD.user / 100) } })
  const ledger = Array.from({ length: PAGE }, (_, i) => ({
    _id: `${user.userId}:${i + 1}` as never,
    ...{ userId: new ObjectId(user.userId), number: i + 1, at: new Date(), cause: 'deposit', causeId: new ObjectId() },
    ...{ change: mongoose.mongo.Long.fromNumber(1), balanceAfter: mongoose.mongo.Long.fromNumber(i) },
  }))
  await collectionOf(system, 'users', 'ledger').insertMany(ledger)
  return {
    ...world,
    ids: { userId: user.userId, withUserId: user.userId, toUserId: user.userId, sellerId: user.userId },
  }
}

/** The longest there are: seats for 100 people with long names. */
async function fillBookings(system: System, { user, ids }: World): Promise<void> {
  const run = runner(system)
  const passengers = Array.from({ length: 100 }, () => ({ name: NAME }))
  const { bookingId } = await run(bookings.startBooking, { trainId: String(ids['trainId']), passengers }, user)
  ids['bookingId'] = bookingId
  const collection = collectionOf(system, 'bookings')
  while ((await collection.findOne({ _id: new ObjectId(bookingId) }))?.['state'] !== 'COMMITTED');
  await copies(collection, bookingId, PAGE, () => ({ outbox: [] }))
  await sellOut(system, String(ids['trainId']), user.userId)
}

/** All seats of the train, with bookings of the user that stand everywhere. */
async function sellOut(system: System, trainId: string, userId: string): Promise<void> {
  const found = collectionOf(system, 'bookings').find({ trainId: new ObjectId(trainId) }, { projection: { _id: 1 } })
  const sold = (await found.limit(19).toArray()).map(({ _id }) => _id)
  const record = (_id: unknown, i: number) => ({
    _id,
    passengers: 100,
    seats: Array.from({ length: 100 }, (_, j) => 100 * i + j + 1),
  })
  const set = { bookings: sold.map(record), seatsLeft: 100 }
  await collectionOf(system, 'trains').updateOne({ _id: new ObjectId(trainId) }, { $set: set })
  const mine = { bookings: { $each: sold } } as never
  await collectionOf(system, 'users').updateOne({ _id: new ObjectId(userId) }, { $push: mine })
}

/** A car and a room that are booked as often as they can remember. */
async function fillThings(system: System, { ids }: World): Promise<void> {
  await copies(collectionOf(system, 'bookings', 'cars'), String(ids['carId']), PAGE)
  await copies(collectionOf(system, 'bookings', 'rooms'), String(ids['roomId']), PAGE)
  const hour = (i: number) => new Date(Date.UTC(2031, 0, 1) + i * 3_600_000)
  const night = (i: number) =>
    hour(24 * i)
      .toISOString()
      .slice(0, 10)
  await collectionOf(system, 'bookings', 'cars').updateOne(
    { _id: new ObjectId(ids['carId']) },
    { $set: { bookings: objectIds(HELD.car).map((_id, i) => ({ _id, from: hour(i), to: hour(i + 1) })) } },
  )
  const nights = (i: number) => ({ from: night(i % 365), to: night((i % 365) + 1 + (i % 30)) })
  await collectionOf(system, 'bookings', 'rooms').updateOne(
    { _id: new ObjectId(ids['roomId']) },
    { $set: { bookings: objectIds(HELD.room).map((_id, i) => ({ _id, ...nights(i) })) } },
  )
}

async function fillStore(system: System, { user, other, ids }: World): Promise<void> {
  const run = runner(system)
  const ticketId = (await run(tickets.createTicket, { title: NAME, price: 1 }, other)).id
  const order = await run(orders.createOrder, { ticketId }, user)
  const charge = await run(payments.createCharge, { orderId: order.id, method: 'balance' }, user)
  const charges = collectionOf(system, 'payments', 'charges')
  await copies(collectionOf(system, 'tickets'), ticketId, PAGE, () => ({ userId: new ObjectId(user.userId) }))
  await copies(collectionOf(system, 'orders'), order.id, PAGE, () => ({ state: 'cancelled', ticketId: new ObjectId() }))
  await copies(charges, charge.id, PAGE, () => ({
    ...{ orderId: new ObjectId(), paymentId: new ObjectId(), payoutId: new ObjectId(), attention: true },
  }))
  Object.assign(ids, { ticketId, orderId: order.id, chargeId: charge.id })
}

async function fillConversations(system: System, { user }: World): Promise<void> {
  const boxes = collectionOf(system, 'messages', 'messageBoxes')
  const mine = await boxes.findOne({ kind: 'conversation', userId: new ObjectId(user.userId) })
  if (!mine) return
  const key = String(mine._id).split(':').slice(0, -1).join(':')
  const others = objectIds(PAGE).map((withUserId) => ({
    ...mine,
    _id: `${key}:${withUserId.toHexString()}` as never,
    withUserId,
    lastMessage: { ...(mine['lastMessage'] as object), text: LONG.repeat(200) },
  }))
  await boxes.insertMany(others)
}

/** A month each of a thousand appointments, of a month each. */
async function fillCalendar(system: System, { user }: World): Promise<void> {
  const views = collectionOf(system, 'calendars')
  const view = await views.findOne({ userId: new ObjectId(user.userId), as: 'buyer' })
  if (!view) return
  const [item] = view['items'] as mongo.Document[]
  const COUNT = 1200
  const months = Array.from({ length: 12 }, (_, i) => i)
  const key = String(view._id).split(':').slice(0, -1).join(':')
  const fromOf = (month: number, i: number) => new Date(Date.UTC(2031, month, 1) + i * 60_000)
  const items = (month: number) =>
    objectIds(COUNT / 12).map((invitationId, i) => ({
      ...item,
      invitationId,
      from: fromOf(month, i),
      to: new Date(fromOf(month, i).getTime() + 30 * 24 * 3_600_000),
    }))
  for (const month of months) {
    const name = `2031-${String(month + 1).padStart(2, '0')}`
    const document = { ...view, _id: `${key}:${name}` as never, month: name, items: items(month) }
    await views.replaceOne({ _id: document._id }, document, { upsert: true })
  }
}

/** The same document again, each with an id of its own, a millisecond apart. */
async function copies(
  collection: mongo.Collection,
  id: string,
  count: number,
  change: (i: number) => object = () => ({}),
): Promise<void> {
  const one = await collection.findOne({ _id: new ObjectId(id) }, { promoteLongs: false })
  if (!one) throw new Error(`There is no ${id} to copy`)
  const at = (i: number) => new Date(Date.now() - count + i)
  const documents = Array.from({ length: count }, (_, i) => ({
    ...one,
    _id: new ObjectId(),
    createdAt: at(i),
    ...change(i),
  }))
  await collection.insertMany(documents)
}

/** Past the models: what is filled in is stored as it is. */
function collectionOf(system: System, domain: string, name = domain): mongo.Collection {
  const { db } = system.databases.connection(domain)
  if (!db) throw new Error(`${domain} is not connected`)
  return db.collection(name)
}

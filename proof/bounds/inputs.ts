import type { Caller } from '../../platform/contract/caller.js'
import type { Operation } from '../../platform/contract/contract.js'
import { jsonSchema, largestValue } from '../support/largest.js'
import { YEAR, type World } from './fill.js'

export interface Call {
  input: unknown
  caller: Caller | null
}

/** The longest there is. */
const timeZone = 'America/Argentina/ComodRivadavia'

/** What asks an operation for its largest answer, where that is not the largest input on the ids that there are. */
const ASKS: Record<string, (world: World) => object> = {
  getCalendar: () => ({ ...YEAR, as: 'buyer', timeZone }),
  exportCalendar: () => ({ ...YEAR, as: 'buyer', timeZone }),
  getCar: ({ ids }) => ({ carId: ids['carId'], ...YEAR }),
  getRoom: ({ ids }) => ({ roomId: ids['roomId'], ...YEAR }),
  listCars: () => ({ ...YEAR, limit: 200 }),
  listRooms: () => ({ ...YEAR, limit: 200 }),
  listTrains: () => ({ limit: 200 }),
  listUsers: () => ({ limit: 200 }),
  listTickets: () => ({ limit: 200 }),
  listOrders: () => ({ limit: 200 }),
  listCharges: () => ({ limit: 200 }),
  listBookings: () => ({ limit: 200 }),
  listLobbies: () => ({ limit: 200 }),
  getConversation: ({ other }) => ({ withUserId: other.userId, limit: 200 }),
  sendMessage: ({ other }) => ({ toUserId: other.userId, text: '"'.repeat(10_240) }),
  inviteToBooking: ({ other }) => ({ sellerId: other.userId, ...DAY, note: '"'.repeat(1000) }),
  createBooking: ({ ids }) => ({ carId: ids['carId'], ...FREE_DAY }),
  startBooking: ({ ids }) => ({ trainId: ids['trainId'], passengers: PASSENGERS }),
  createTrain: () => ({ ...TERMS }),
  updateTrain: ({ ids }) => ({ trainId: ids['trainId'], version: 0, set: TERMS }),
  updateBooking: ({ ids }) => ({ bookingId: ids['bookingId'], version: 0, set: { passengers: PASSENGERS } }),
  proposeMove: ({ ids }) => ({ invitationId: ids['invitationId'], ...DAY }),
  rescheduleInvitation: ({ ids }) => ({ invitationId: ids['invitationId'], ...DAY }),
  reportPresence: ({ user, ids }) => ({
    worker: user.userId,
    lobbies: [CROWD, CROWD].map((userIds) => ({ lobbyId: ids['lobbyId'], userIds })),
  }),
  signIn: () => ({ email: 'user@example.com', password: 'a pass phrase' }),
  changePassword: () => ({ oldPassword: 'a pass phrase', newPassword: '"'.repeat(199) }),
  takeBackBookings: ({ ids }) => ({ bookingIds: [ids['bookingId']] }),
  readFeed: ({ user }) => ({ feed: `user:${user.userId}`, after: 0, limit: 500 }),
  auditUsers: () => ({ limit: 200 }),
  auditTrains: () => ({ limit: 200 }),
  getStatus: () => ({}),
  recoverBookings: () => ({}),
  recoverCharges: () => ({}),
  recoverPayments: () => ({}),
  recoverTransfers: () => ({}),
  recoverInvitations: () => ({}),
}

const DAY = { from: '2031-06-01T09:00:00.000Z', to: '2031-06-02T09:00:00.000Z' }
/** As many as reportPresence takes, in two. */
const CROWD = Array.from({ length: 10_000 }, (_, i) => `e${i.toString(16).padStart(23, '0')}`)
/** Behind everything that is booked. */
const FREE_DAY = { from: '2035-06-01T09:00:00.000Z', to: '2035-06-02T09:00:00.000Z' }
const PASSENGERS = Array.from({ length: 100 }, () => ({ name: '"'.repeat(200) }))
const TERMS = {
  route: '"'.repeat(200),
  departureTime: '2031-06-01T09:00:00.000Z',
  arrivalTime: '2031-06-01T10:00:00.000Z',
  availableSeats: 2000,
  pricePerSeat: 0,
}
/** For admins there is more to see. */
const AS_ADMIN = new Set(['getCar', 'listCars', 'listRooms', 'listBookings', 'listOrders', 'listCharges', 'getRoom'])

/** The call that an operation has most to do with, on what was filled in. */
export function largestCall(operation: Operation, world: World): Call {
  const { name, access } = operation
  const internal = access === 'internal'
  const caller = internal ? null : access === 'admin' || AS_ADMIN.has(name) ? world.admin : world.user
  const asked = ASKS[name]?.(world)
  return { caller, input: asked ?? known(operation, largestValue(jsonSchema(operation.input, 'input')), world) }
}

/** On what there is, from the beginning of lists, and each new thing with an id of its own. */
function known({ newId }: Operation, input: unknown, { ids }: World): unknown {
  if (typeof input !== 'object' || input === null) return input
  const entries = Object.entries(input).flatMap(([key, value]) =>
    ['cursor', 'after', 'lastSeq', newId].includes(key)
      ? []
      : [[key, typeof value === 'string' ? (ids[key] ?? value) : value]],
  )
  return {
    ...Object.fromEntries(entries),
    ...('timeZone' in input && { timeZone }),
    ...('version' in input && { version: 0 }),
  } as unknown
}

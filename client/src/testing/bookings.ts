import { newId } from '../calls.js'
import type { Booking } from '../operations.js'
import { countNights, findCar, findRoom, mostTaken, nightsOf, overlaps } from './things.js'
import { move } from './users.js'
import {
  invalid,
  nowOf,
  pageOf,
  Refused,
  requestOf,
  type BookingRecord,
  type Caller,
  type CarRecord,
  type Given,
  type Handler,
  type RoomRecord,
  type World,
} from './world.js'

/** Bookings of cars and rooms: each is decided at once, as COMMITTED or CANCELLED. */

const HOUR_MS = 3_600_000
const MAX_DAYS = 366

function present(world: World, { request: _request, ...booking }: BookingRecord): Booking {
  const cancelled = booking.reversedBy !== undefined || booking.state === 'CANCELLED'
  const ended = booking.reverses !== undefined || booking.to <= nowOf(world)
  return { ...booking, standing: cancelled ? 'cancelled' : ended ? 'ended' : 'active' }
}

function tell(world: World, booking: BookingRecord): void {
  const at = nowOf(world)
  world.feeds.append(`user:${booking.userId}`, { ...present(world, booking), name: 'booking:updated', at })
}

/** What a booking holds of its thing. */
interface Hold {
  thing: CarRecord | RoomRecord
  of: { carId: string } | { roomId: string }
  record: { from: string; to: string }
  cost: number
  isFree: boolean
  refusal: 'car_unavailable' | 'room_unavailable'
}

function holdOf(world: World, { carId, roomId, from, to }: Given<'createBooking'>): Hold {
  const kind = carId === undefined ? 'room' : 'car'
  const thing = carId === undefined ? findRoom(world, roomId as string) : findCar(world, carId)
  if (thing.retired) throw new Refused(`${kind}_retired`, `The ${kind} takes no new bookings.`)
  if ('pricePerHour' in thing) {
    const cost = Math.ceil((Date.parse(to) - Date.parse(from)) / HOUR_MS) * thing.pricePerHour
    const isFree = !thing.bookings.some((each) => overlaps(each, { from, to }))
    return { thing, of: { carId: thing.id }, record: { from, to }, cost, isFree, refusal: 'car_unavailable' }
  }
  const record = nightsOf(thing, { from, to })
  const isFree = mostTaken(thing, record) < thing.units
  const cost = countNights(record) * thing.pricePerNight
  return { thing, of: { roomId: thing.id }, record, cost, isFree, refusal: 'room_unavailable' }
}

export const createBooking: Handler<'createBooking'> = (world, input, caller) => {
  const { bookingId = newId(), userId = caller.userId, from, to, maxCost } = input
  if (caller.role === 'user' && userId !== caller.userId) {
    throw new Refused('forbidden', 'Only admins book for others, naming the userId.')
  }
  const request = requestOf(caller.userId, input)
  const earlier = world.bookings.get(bookingId)
  if (earlier) {
    if (earlier.request === request) return reply(world, earlier)
    throw new Refused('booking_id_reused', 'This bookingId was sent before with another input or by another caller.')
  }
  const hold = holdOf(world, input)
  const user = world.users.get(userId)
  if (!user) throw new Refused('user_not_found', `There is no user ${userId}.`)
  const { thing, record, cost } = hold
  if (!Number.isSafeInteger(cost)) throw invalid('to', 'the cost of so much would pass 2^53 - 1')
  if (Date.parse(to) - Date.parse(from) > MAX_DAYS * 24 * HOUR_MS) throw invalid('to', `at most ${MAX_DAYS} days`)
  const at = nowOf(world)
  if (caller.role === 'user' && from < at) throw new Refused('booking_started', 'It has begun already.')
  if (maxCost !== undefined && cost > maxCost) {
    throw new Refused('price_changed', 'It costs more than maxCost.', { cost })
  }

  const booking: BookingRecord = {
    ...{
      id: bookingId,
      userId,
      ...hold.of,
      from,
      to,
      cost,
      state: 'COMMITTED',
      createdAt: at,
      lastModified: at,
      request,
    },
  }
  world.bookings.set(bookingId, booking)
  if (cost > user.balance) Object.assign(booking, { state: 'CANCELLED', reason: 'insufficient_funds' })
  else {
    // The money is taken while the thing is asked, and comes back where that refuses.
    move(world, user, 'booking', bookingId, 0 - cost)
    if (hold.isFree) {
      user.bookings.push(bookingId)
      thing.bookings.push({ id: bookingId, ...record })
      thing.updatedAt = at
    } else {
      move(world, user, 'booking_undone', bookingId, cost)
      Object.assign(booking, { state: 'CANCELLED', reason: hold.refusal })
    }
  }
  tell(world, booking)
  return reply(world, booking)
}

function reply(world: World, booking: BookingRecord): Booking {
  const { id: bookingId, state, reason } = booking
  if (state === 'COMMITTED') return present(world, booking)
  if (reason === 'insufficient_funds') throw new Refused(reason, 'The balance does not cover the cost.', { bookingId })
  throw new Refused(reason as 'car_unavailable' | 'room_unavailable', 'It is booked for that period, or retired.', {
    bookingId,
  })
}

function visible({ bookings }: World, bookingId: string, { role, userId }: Caller): BookingRecord {
  const booking = bookings.get(bookingId)
  if (booking && (role === 'admin' || booking.userId === userId)) return booking
  throw new Refused('booking_not_found', `There is no booking ${bookingId}.`)
}

export const getBooking: Handler<'getBooking'> = (world, { bookingId }, caller) =>
  present(world, visible(world, bookingId, caller))

export const listBookings: Handler<'listBookings'> = (world, { userId, state, standing, ...page }, caller) => {
  if (caller.role === 'user' && userId !== undefined && userId !== caller.userId) {
    throw new Refused('forbidden', "Only admins list others' bookings.")
  }
  const owner = caller.role === 'user' ? caller.userId : userId
  const matching = [...world.bookings.values()]
    .filter((each) => owner === undefined || each.userId === owner)
    .map((each) => present(world, each))
    .filter((each) => (!state || each.state === state) && (!standing || each.standing === standing))
  const { found, nextCursor } = pageOf(matching, 'newestFirst', page)
  return { items: found, nextCursor }
}

export const cancelBooking: Handler<'cancelBooking'> = (world, { bookingId }, caller) => {
  const booking = visible(world, bookingId, caller)
  if (booking.reverses) throw new Refused('booking_not_cancellable', 'A reversal cannot be cancelled.')
  if (caller.role === 'user' && booking.from <= nowOf(world) && booking.cost > 0) {
    throw new Refused('booking_started', 'Only an admin can still cancel it.')
  }
  if (booking.state === 'CANCELLED') return { booking: present(world, booking) }
  const reversal = world.bookings.get(booking.reversedBy ?? '') ?? reverse(world, booking)
  return { booking: present(world, booking), reversal: present(world, reversal) }
}

function reverse(world: World, booking: BookingRecord): BookingRecord {
  const at = nowOf(world)
  const id = newId()
  const request = requestOf('system', { id })
  const reversal: BookingRecord = { ...booking, id, reverses: booking.id, createdAt: at, lastModified: at, request }
  world.bookings.set(id, reversal)
  booking.reversedBy = id
  const isOther = (each: string): boolean => each !== booking.id
  const user = world.users.get(booking.userId)
  if (user) {
    user.bookings = user.bookings.filter(isOther)
    move(world, user, 'reversal', id, booking.cost)
  }
  const thing = world.cars.get(booking.carId ?? '') ?? world.rooms.get(booking.roomId ?? '')
  if (thing) {
    thing.bookings = thing.bookings.filter((each) => isOther(each.id))
    thing.updatedAt = at
  }
  tell(world, reversal)
  return reversal
}

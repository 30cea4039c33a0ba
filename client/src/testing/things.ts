import { newId } from '../calls.js'
import type { Data } from '../connect.js'
import {
  checkVersion,
  insertOnce,
  nowOf,
  pageOf,
  Refused,
  requestOf,
  type Caller,
  type CarRecord,
  type Handler,
  type RoomRecord,
  type World,
} from './world.js'

/** Cars and rooms. */

interface Span {
  from: string
  to: string
}

export const overlaps = (one: Span, other: Span): boolean => one.from < other.to && one.to > other.from

const newThing = (world: World, id: string, request: string) => {
  const at = nowOf(world)
  return { id, retired: false, version: 0, createdAt: at, updatedAt: at, bookings: [], request }
}

const shown = ({ id, retired, version, createdAt, updatedAt, name }: CarRecord | RoomRecord) => ({
  ...{ id, retired, version, createdAt, updatedAt, name },
})

const presentCar = (car: CarRecord, { role }: Caller): Data<'createCar'> => ({
  ...shown(car),
  pricePerHour: car.pricePerHour,
  ...(role === 'admin' && { bookings: [...car.bookings], pendingBookings: [] }),
})

const presentRoom = (room: RoomRecord): Data<'createRoom'> => {
  const { pricePerNight, units, timeZone } = room
  return { ...shown(room), pricePerNight, units, timeZone }
}

export function findCar({ cars }: World, carId: string): CarRecord {
  const car = cars.get(carId)
  if (!car) throw new Refused('car_not_found', `There is no car ${carId}.`)
  return car
}

export function findRoom({ rooms }: World, roomId: string): RoomRecord {
  const room = rooms.get(roomId)
  if (!room) throw new Refused('room_not_found', `There is no room ${roomId}.`)
  return room
}

export const createCar: Handler<'createCar'> = (world, input, caller) => {
  const { carId = newId(), name, pricePerHour } = input
  const car = { ...newThing(world, carId, requestOf(caller.userId, input)), name, pricePerHour }
  return presentCar(insertOnce(world.cars, 'car', car), caller)
}

export const updateCar: Handler<'updateCar'> = (world, { carId, version, set }, caller) => {
  const car = findCar(world, carId)
  checkVersion('car', car.version, version)
  Object.assign(car, set, { version: version + 1, updatedAt: nowOf(world) })
  return presentCar(car, caller)
}

export const listCars: Handler<'listCars'> = (world, { from, to, ...page }, caller) => {
  const period = from !== undefined && to !== undefined ? { from, to } : undefined
  const matching = [...world.cars.values()].filter(
    ({ retired, bookings }) =>
      !(retired && caller.role === 'user') && !(period && bookings.some((each) => overlaps(each, period))),
  )
  const { found, nextCursor } = pageOf(matching, 'oldestFirst', page)
  return { items: found.map((car) => presentCar(car, caller)), nextCursor }
}

export const getCar: Handler<'getCar'> = (world, { carId, from, to }, caller) => {
  const car = findCar(world, carId)
  if (from === undefined || to === undefined) return presentCar(car, caller)
  const busy = car.bookings
    .filter((each) => overlaps(each, { from, to }))
    .map((each) => ({ from: each.from, to: each.to }))
    .sort((a, b) => (a.from < b.from ? -1 : 1))
  return { ...presentCar(car, caller), busy }
}

export const createRoom: Handler<'createRoom'> = (world, input, caller) => {
  const { roomId = newId(), name, pricePerNight, units, timeZone = 'UTC' } = input
  const room = { ...newThing(world, roomId, requestOf(caller.userId, input)), name, pricePerNight, units, timeZone }
  return presentRoom(insertOnce(world.rooms, 'room', room))
}

export const updateRoom: Handler<'updateRoom'> = (world, { roomId, version, set }) => {
  const room = findRoom(world, roomId)
  checkVersion('room', room.version, version)
  const booked = mostTaken(room)
  if (set.units !== undefined && booked > set.units) {
    throw new Refused('room_unavailable', 'More units than that are booked on a night.', { booked })
  }
  Object.assign(room, set, { version: version + 1, updatedAt: nowOf(world) })
  return presentRoom(room)
}

export const listRooms: Handler<'listRooms'> = (world, { from, to, ...page }, caller) => {
  const matching = [...world.rooms.values()].filter(({ retired }) => !(retired && caller.role === 'user'))
  const { found, nextCursor } = pageOf(matching, 'oldestFirst', page)
  const isFree = (room: RoomRecord): boolean =>
    from === undefined || to === undefined || mostTaken(room, nightsOf(room, { from, to })) < room.units
  return { items: found.filter(isFree).map(presentRoom), nextCursor }
}

export const getRoom: Handler<'getRoom'> = (world, { roomId, from, to }) => {
  const room = findRoom(world, roomId)
  if (from === undefined || to === undefined) return presentRoom(room)
  return { ...presentRoom(room), free: Math.max(0, room.units - mostTaken(room, nightsOf(room, { from, to }))) }
}

const DAY_MS = 24 * 3_600_000

/** The nights of a period by the days of the room's time zone, at least one. */
export function nightsOf({ timeZone }: RoomRecord, { from, to }: Span): Span {
  const format = new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' })
  const [first, last] = [format.format(new Date(from)), format.format(new Date(to))]
  return { from: first, to: last > first ? last : new Date(Date.parse(first) + DAY_MS).toISOString().slice(0, 10) }
}

export const countNights = ({ from, to }: Span): number => Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS)

/** The most that are booked on any one of these nights; without nights, of all. */
export function mostTaken({ bookings }: RoomRecord, nights?: Span): number {
  const held = nights ? bookings.filter((each) => overlaps(each, nights)) : bookings
  const first = nights?.from ?? ''
  // As many as ever are there at once are there on a night on which one of them comes, or on the first.
  const arrivals = held.map(({ from }) => (from > first ? from : first))
  const takenOn = (night: string): number => held.filter(({ from, to }) => from <= night && to > night).length
  return arrivals.reduce((most, night) => Math.max(most, takenOn(night)), 0)
}

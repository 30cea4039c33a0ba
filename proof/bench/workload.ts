import mongoose from 'mongoose'
import { seededRandom, zipf } from '../support/numbers.js'

const { ObjectId } = mongoose.Types
type ObjectId = mongoose.Types.ObjectId

/** Which car and which user a booking is for. */
export const WORKLOADS = {
  uniform: 'every car equally',
  zipf1: 'cars by Zipf(1.0)',
  zipf2: 'cars by Zipf(2.0)',
  hot: 'everyone wants the same car, each another hour',
  busy: 'one user, one booking after the other',
} as const
export type Workload = keyof typeof WORKLOADS
export const isWorkload = (name: string): name is Workload => Object.hasOwn(WORKLOADS, name)

export const USERS = 1024
/** One more user, who audits. */
export const ADMIN = USERS
export const CARS = 1000
export const PRICE = 1000
/** Enough for more bookings than a run can make, so that hardly any is refused. */
export const BALANCE = 1_000_000_000_000

const HOUR_MS = 3_600_000
const FIRST_HOUR = Date.UTC(2031, 0, 1)

/** The n-th user or car: known without asking, so that connections outlive a refill of the database. */
const idOf = (kind: number, n: number): ObjectId => new ObjectId((kind * 0x1000000 + n).toString(16).padStart(24, '0'))
export const userIdOf = (n: number): ObjectId => idOf(0xa, n)
export const carIdOf = (n: number): ObjectId => idOf(0xc, n)

export interface BookingRequest {
  bookingId: ObjectId
  user: number
  userId: ObjectId
  carId: ObjectId
  from: Date
  to: Date
  cost: number
}

export interface RequestSource {
  /** A booking that can succeed, of a user who has none in flight; undefined when every user has one. */
  next(): BookingRequest | undefined
  /** The user of a request may book again. */
  done(request: BookingRequest): void
}

/**
 * Requests of a workload: users drawn from those without a booking in flight, cars by the distribution, hours in turn.
 * `firstHour`: up to there the cars are booked already.
 */
export function requestsOf(
  workload: Workload,
  seed: number,
  { users = USERS, firstHour = 0 }: { users?: number; firstHour?: number } = {},
): RequestSource {
  const random = seededRandom(seed)
  const idle = Array.from({ length: workload === 'busy' ? 1 : users }, (_, n) => n)
  const hours = new Uint32Array(CARS).fill(firstHour)
  const drawCar = workload === 'hot' ? () => 0 : zipf(CARS, EXPONENTS[workload] ?? 0, random)

  return {
    next() {
      if (idle.length === 0) return undefined
      const at = Math.floor(random() * idle.length)
      const user = idle[at] as number
      idle[at] = idle.at(-1) as number
      idle.pop()
      const car = drawCar()
      const hour = hours[car] as number
      hours[car] = hour + 1
      return requestFor(user, car, hour)
    },
    done: ({ user }) => void idle.push(user),
  }
}

/** The booking of a car by a user for the n-th hour. */
export function requestFor(user: number, car: number, hour: number): BookingRequest {
  const from = new Date(FIRST_HOUR + hour * HOUR_MS)
  return {
    bookingId: new ObjectId(),
    user,
    userId: userIdOf(user),
    carId: carIdOf(car),
    from,
    to: new Date(from.getTime() + HOUR_MS),
    cost: PRICE,
  }
}

const EXPONENTS: Partial<Record<Workload, number>> = { zipf1: 1, zipf2: 2 }

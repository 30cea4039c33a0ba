import mongoose from 'mongoose'
import { define, type Context } from '../../platform/function.js'
import { isOutstanding } from '../../protocol/states.js'
import { users } from '../users/contract.js'
import {
  checkCarOf,
  checkOverlaps,
  checkUser,
  settledBetween,
  violation,
  type AuditedBooking,
  type AuditedCar,
  type Violation,
} from './booking.audit.js'
import { Booking } from './booking.model.js'
import { Car } from './car.model.js'
import { bookings } from './contract.js'

const { ObjectId } = mongoose.Types

export default define(bookings.auditBooks, async (ctx) => {
  const startedAt = ctx.now()
  const violations: Violation[] = []
  const checked = { users: 0, cars: 0, bookings: 0 }

  for await (const page of userPages(ctx)) {
    checked.users += page.length
    const result = await auditUsersBookings(ctx, page)
    checked.bookings += result.bookings.filter(({ createdAt }) => createdAt <= startedAt).length
    violations.push(...result.violations)
  }

  const total = await ctx.model(Booking).countDocuments({ createdAt: { $lte: startedAt } })
  if (total !== checked.bookings) {
    violations.push(violation('booking_has_user', 'bookings', `${total - checked.bookings} bookings belong to no user`))
  }

  const cars = ctx.model(Car).find({}, CAR_FIELDS).lean().batchSize(20).cursor()
  for await (const car of cars) {
    checked.cars++
    violations.push(...checkOverlaps(car), ...(await checkMarkers(ctx, car)))
  }

  violations.push(...(await checkOutstanding(ctx)))
  const parked = await ctx
    .model(Booking)
    .find({ ...isOutstanding, parked: true }, { _id: 1 })
    .lean()
  return { ok: violations.length === 0, checked, violations, parked: parked.map(({ _id }) => _id.toHexString()) }
})

const CAR_FIELDS = { bookings: 1, pendingBookings: 1, tombstones: 1, forgottenBefore: 1 }

type UserPage = Awaited<ReturnType<typeof auditUsersPage>>['items']

const auditUsersPage = (ctx: Context, page: { userIds?: string[]; cursor?: string }) =>
  ctx.call(users.auditUsers, { limit: 200, ...page })

/** The ids first: each page is read again between the two reads of its bookings. */
async function* userPages(ctx: Context): AsyncGenerator<UserPage> {
  let cursor: string | null | undefined
  do {
    const page = await auditUsersPage(ctx, cursor ? { cursor } : {})
    if (page.items.length > 0) yield page.items
    cursor = page.nextCursor
  } while (cursor)
}

async function auditUsersBookings(ctx: Context, page: UserPage) {
  const ids = page.map(({ id }) => id)
  const before = await bookingsOf(ctx, ids)
  const { items } = await auditUsersPage(ctx, { userIds: ids })
  const cars = await carsOf(ctx, before)
  const after = await bookingsOf(ctx, ids)

  const settled = settledBetween(before, after)
  const byUser = groupBy(settled, ({ booking }) => String(booking.userId))
  const known = new Set(after.map(({ _id }) => String(_id)))
  const violations = items.flatMap((user) => [
    ...user.violations.map((detail) => violation('ledger', user.id, detail)),
    ...checkUser(user, byUser.get(user.id) ?? [], known),
  ])
  for (const each of settled) violations.push(...checkCarOf(each, cars.get(String(each.booking.carId))))
  return { bookings: after, violations }
}

async function bookingsOf(ctx: Context, userIds: string[]): Promise<AuditedBooking[]> {
  return ctx
    .model(Booking)
    .find(
      { userId: { $in: userIds.map((each) => new ObjectId(each)) } },
      { userId: 1, carId: 1, from: 1, to: 1, cost: 1, state: 1, reverses: 1, createdAt: 1 },
    )
    .lean()
}

async function carsOf(ctx: Context, before: AuditedBooking[]): Promise<Map<string, AuditedCar>> {
  const ids = [...new Set(before.map(({ carId }) => String(carId)))].map((each) => new ObjectId(each))
  const cars = await ctx
    .model(Car)
    .find({ _id: { $in: ids } }, CAR_FIELDS)
    .lean()
  return new Map(cars.map((car) => [String(car._id), car]))
}

/** Every marker has its booking: a booking is durable before anything of it reaches a car. */
async function checkMarkers(ctx: Context, car: AuditedCar): Promise<Violation[]> {
  const ids = [...car.bookings.map(({ _id }) => _id), ...car.pendingBookings, ...car.tombstones]
  if (ids.length === 0) return []
  const found = await ctx
    .model(Booking)
    .find({ _id: { $in: ids } }, { _id: 1 })
    .lean()
  const known = new Set(found.map(({ _id }) => String(_id)))
  return ids
    .filter((id) => !known.has(String(id)))
    .map((id) => violation('marker_has_booking', String(id), `car ${String(car._id)} knows it, no booking does`))
}

async function checkOutstanding(ctx: Context): Promise<Violation[]> {
  const { stuckAfterMs, intervalMs, lockMs } = ctx.config.recovery
  // One interval and one run later recovery must have dealt with it; a dead jobs process adds its lock.
  const allowedMs = stuckAfterMs + intervalMs + lockMs + ctx.config.deadlinesMs.money
  const fields = { userId: 1, parked: 1, lastModified: 1, state: 1 }
  const outstanding = await ctx.model(Booking).find(isOutstanding, fields).lean()
  const late = outstanding.filter(
    ({ parked, lastModified }) => !parked && ctx.now().getTime() - +lastModified > allowedMs,
  )
  const crowded = [...groupBy(outstanding, ({ userId }) => String(userId))].filter(([, theirs]) => theirs.length > 1)
  return [
    ...late.map(({ _id, state, lastModified }) =>
      violation('settles_in_time', String(_id), `${state} since ${lastModified.toISOString()}`),
    ),
    ...(await Promise.all(crowded.map(([owner, theirs]) => checkCrowded(ctx, owner, theirs)))).flat(),
  ]
}

/** One may have ended and the next begun while the list was read: only what stands together now is a violation. */
async function checkCrowded(
  ctx: Context,
  owner: string,
  theirs: { _id: AuditedBooking['_id'] }[],
): Promise<Violation[]> {
  const ids = theirs.map(({ _id }) => _id)
  const still = await ctx.model(Booking).countDocuments({ _id: { $in: ids }, ...isOutstanding })
  return still > 1 ? [violation('one_outstanding', owner, ids.join(', '))] : []
}

function groupBy<T>(items: T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const group = groups.get(keyOf(item))
    if (group) group.push(item)
    else groups.set(keyOf(item), [item])
  }
  return groups
}

import mongoose from 'mongoose'
import { define, type Context } from '../../platform/runtime/function.js'
import { settledBetween, violation, type Violation } from '../../protocol/audit.js'
import { isOutstanding } from '../../protocol/states.js'
import { payments } from '../payments/contract.js'
import { trains } from '../trains/contract.js'
import { users } from '../users/contract.js'
import {
  checkCarOf,
  checkOverlaps,
  checkTrainOf,
  checkUser,
  type AuditedBooking,
  type AuditedCar,
  type AuditedTrain,
  type Booked,
} from './booking.audit.js'
import { Booking } from './booking.model.js'
import { Car } from './kinds/car/car.model.js'
import { bookings } from './contract.js'

const { ObjectId } = mongoose.Types
type ObjectId = mongoose.Types.ObjectId

export default define(bookings.auditBooks, async (ctx) => {
  const startedAt = ctx.now()
  const violations: Violation[] = []
  const parkedPayments: string[] = []
  const checked = { users: 0, cars: 0, trains: 0, bookings: 0 }

  for await (const page of userPages(ctx)) {
    checked.users += page.length
    const result = await auditUsersBookings(ctx, page)
    checked.bookings += result.bookings.filter(({ createdAt }) => createdAt <= startedAt).length
    violations.push(...result.violations)
    const paid = await ctx.call(payments.auditPayments, { userIds: page.map(({ id }) => id) })
    violations.push(...paid.violations)
    parkedPayments.push(...paid.parked)
  }

  const total = await ctx.model(Booking).countDocuments({ createdAt: { $lte: startedAt } })
  if (total !== checked.bookings) {
    violations.push(violation('booking_has_user', 'bookings', `${total - checked.bookings} bookings belong to no user`))
  }

  const cars = ctx.model(Car).find({}, CAR_FIELDS).lean().batchSize(20).cursor()
  for await (const car of cars) {
    checked.cars++
    violations.push(...checkOverlaps(car), ...(await checkMarkers(ctx, `car ${String(car._id)}`, markersOfCar(car))))
  }

  for await (const page of trainPages(ctx)) {
    checked.trains += page.length
    for (const train of page) {
      violations.push(...train.violations.map((detail) => violation('seats', train.id, detail)))
      violations.push(...(await checkMarkers(ctx, `train ${train.id}`, markersOfTrain(train))))
    }
  }

  violations.push(...(await checkOutstanding(ctx)))
  const parked = await ctx
    .model(Booking)
    .find({ ...isOutstanding, parked: true }, { _id: 1 })
    .sort({ createdAt: 1 })
    .lean()
  return {
    ok: violations.length === 0,
    checked,
    violations,
    parked: parked.map(({ _id }) => _id.toHexString()),
    parkedPayments,
  }
})

const AUDITED_FIELDS = {
  userId: 1,
  carId: 1,
  trainId: 1,
  passengers: 1,
  seats: 1,
  from: 1,
  to: 1,
  cost: 1,
  state: 1,
  reverses: 1,
  createdAt: 1,
} as const
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
  const trainsBooked = await trainsOf(ctx, before)
  const after = await bookingsOf(ctx, ids)

  const settled = settledBetween(before, after)
  const byUser = groupBy(settled, ({ booking }) => String(booking.userId))
  const known = new Set(after.map(({ _id }) => String(_id)))
  const violations = items.flatMap((user) => [
    ...user.violations.map((detail) => violation('ledger', user.id, detail)),
    ...checkUser(user, byUser.get(user.id) ?? [], known),
  ])
  for (const each of settled) {
    const { carId, trainId } = each.booking
    violations.push(
      ...(trainId ? checkTrainOf(each, trainsBooked.get(String(trainId))) : checkCarOf(each, cars.get(String(carId)))),
    )
  }
  return { bookings: after, violations }
}

async function bookingsOf(ctx: Context, userIds: string[]): Promise<AuditedBooking[]> {
  return ctx
    .model(Booking)
    .find({ userId: { $in: userIds.map((each) => new ObjectId(each)) } }, AUDITED_FIELDS)
    .lean()
}

async function carsOf(
  ctx: Context,
  before: AuditedBooking[],
): Promise<Map<string, Booked<AuditedCar['bookings'][number]>>> {
  const ids = idsIn(before, 'carId').map((each) => new ObjectId(each))
  const cars = await ctx
    .model(Car)
    .find({ _id: { $in: ids } }, { bookings: 1, forgottenBefore: 1 })
    .lean()
  return new Map(
    cars.map(({ _id, bookings: held, forgottenBefore }) => {
      const id = String(_id)
      return [id, { id, records: groupBy(held, (each) => String(each._id)), forgottenBefore }]
    }),
  )
}

async function trainsOf(
  ctx: Context,
  before: AuditedBooking[],
): Promise<Map<string, Booked<AuditedTrain['bookings'][number]>>> {
  const ids = idsIn(before, 'trainId')
  const found = new Map<string, Booked<AuditedTrain['bookings'][number]>>()
  for (let i = 0; i < ids.length; i += MAX_IDS_PER_CALL) {
    const { items } = await ctx.call(trains.auditTrains, { trainIds: ids.slice(i, i + MAX_IDS_PER_CALL) })
    for (const { id, bookings: held } of items) found.set(id, { id, records: groupBy(held, (each) => each.id) })
  }
  return found
}

const MAX_IDS_PER_CALL = 1000

const idsIn = (bookings: AuditedBooking[], key: 'carId' | 'trainId'): string[] => [
  ...new Set(bookings.flatMap((each) => each[key]?.toHexString() ?? [])),
]

async function* trainPages(ctx: Context) {
  let cursor: string | null | undefined
  do {
    const page = await ctx.call(trains.auditTrains, { limit: 200, ...(cursor && { cursor }) })
    yield page.items
    cursor = page.nextCursor
  } while (cursor)
}

const markersOfCar = (car: AuditedCar): ObjectId[] => [
  ...car.bookings.map(({ _id }) => _id),
  ...car.pendingBookings,
  ...car.tombstones,
]

const markersOfTrain = (train: AuditedTrain & { pendingBookings: string[]; tombstones: string[] }): ObjectId[] =>
  [...train.bookings.map(({ id }) => id), ...train.pendingBookings, ...train.tombstones].map(
    (each) => new ObjectId(each),
  )

/** Every marker has its booking: a booking is durable before anything of it reaches what is booked. */
async function checkMarkers(ctx: Context, owner: string, ids: ObjectId[]): Promise<Violation[]> {
  if (ids.length === 0) return []
  const found = await ctx
    .model(Booking)
    .find({ _id: { $in: ids } }, { _id: 1 })
    .lean()
  const known = new Set(found.map(({ _id }) => String(_id)))
  return ids
    .filter((id) => !known.has(String(id)))
    .map((id) => violation('marker_has_booking', String(id), `${owner} knows it, no booking does`))
}

async function checkOutstanding(ctx: Context): Promise<Violation[]> {
  const { stuckAfterMs, intervalMs, lockMs } = ctx.config.recovery
  // One interval and one run later recovery must have dealt with it; a dead jobs process adds its lock.
  const allowedMs = stuckAfterMs + intervalMs + lockMs + ctx.config.deadlinesMs.money
  const fields = { userId: 1, parked: 1, lastModified: 1, state: 1 }
  const outstanding = await ctx.model(Booking).find(isOutstanding, fields).sort({ createdAt: 1 }).lean()
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

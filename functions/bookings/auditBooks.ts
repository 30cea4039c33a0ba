import mongoose from 'mongoose'
import type { Output } from '../../platform/contract/contract.js'
import { define, type Context } from '../../platform/runtime/function.js'
import { createTally, isLate, settledBetween, violation, type Tally, type Violation } from '../../protocol/audit.js'
import { isOutstanding } from '../../protocol/states.js'
import { calendars } from '../calendars/contract.js'
import { events } from '../events/contract.js'
import { expirations } from '../expirations/contract.js'
import { payments } from '../payments/contract.js'
import { users } from '../users/contract.js'
import { checkReversal, checkThingOf, checkUser, type AuditedBooking, type Booked } from './booking.audit.js'
import { bookableKinds, kindOf, thingOf, type BookableKind } from './booking.kinds.js'
import { Booking } from './booking.model.js'
import { bookings } from './contract.js'

const { ObjectId } = mongoose.Types

export default define(bookings.auditBooks, async (ctx) => {
  const startedAt = ctx.now()
  const lists = {
    violations: createTally<Violation>(),
    parked: createTally<string>(),
    parkedPayments: createTally<string>(),
    unresolvedCharges: createTally<string>(),
    parkedTransfers: createTally<string>(),
    parkedInvitations: createTally<string>(),
    parkedTimers: createTally<string>(),
  }
  const { violations } = lists
  const checked = { users: 0, bookings: 0 }
  const things: Record<string, number> = {}

  for await (const page of userPages(ctx)) {
    checked.users += page.length
    for (const user of page) lists.parkedTransfers.add(user.parkedTransfers)
    checked.bookings += await auditUsersBookings(ctx, page, startedAt, violations)
    const paid = await ctx.call(payments.auditPayments, { userIds: page.map(({ id }) => id) })
    violations.add(paid.violations)
    lists.parkedPayments.add(paid.parked)
    lists.unresolvedCharges.add(paid.unresolvedCharges)
  }

  const total = await ctx.model(Booking).countDocuments({ createdAt: { $lte: startedAt } })
  if (total !== checked.bookings) {
    violations.add([
      violation('booking_has_user', 'bookings', `${total - checked.bookings} bookings belong to no user`),
    ])
  }
  for (const kind of bookableKinds().values()) things[`${kind.name}s`] = await auditThingsOf(ctx, kind, violations)
  violations.add(await checkOutstanding(ctx))
  lists.parked.add(await parkedBookings(ctx))
  lists.parkedInvitations.add((await ctx.call(calendars.findParkedInvitations, {})).parked)
  lists.parkedTimers.add((await ctx.call(expirations.findParkedTimers, {})).parked)

  const untold = Object.entries(lists).flatMap(([name, list]) =>
    list.untold > 0 ? [[name, list.untold] as const] : [],
  )
  const [first] = violations.told
  if (first) await tell(ctx, startedAt, first, violations.told.length + violations.untold)
  return {
    ok: first === undefined,
    checked: { ...checked, ...(things as ThingCounts) },
    violations: [...violations.told],
    parked: [...lists.parked.told],
    parkedPayments: [...lists.parkedPayments.told],
    unresolvedCharges: [...lists.unresolvedCharges.told],
    parkedTransfers: [...lists.parkedTransfers.told],
    parkedInvitations: [...lists.parkedInvitations.told],
    parkedTimers: [...lists.parkedTimers.told],
    ...(untold.length > 0 && { untold: Object.fromEntries(untold) }),
  }
})

/** People hear of it also where whoever asked for the audit is a script. The audit's answer does not hang on that. */
async function tell(ctx: Context, at: Date, { rule, entityId, detail }: Violation, count: number): Promise<void> {
  const message = `Violations: ${count}. The first: ${rule}, ${entityId}: ${detail}`
  try {
    await ctx.call(events.tellTrouble, {
      key: `books ${ctx.requestId}`,
      about: 'books',
      message,
      since: at.toISOString(),
    })
  } catch (error) {
    ctx.log.error({ err: error, message }, 'a failed audit could not be told')
  }
}

async function parkedBookings(ctx: Context): Promise<string[]> {
  const parked = await ctx
    .model(Booking)
    .find({ ...isOutstanding, parked: true }, { _id: 1 })
    .sort({ createdAt: 1 })
    .lean()
  return parked.map(({ _id }) => _id.toHexString())
}

type ThingCounts = Omit<Output<typeof bookings.auditBooks>['checked'], 'users' | 'bookings'>

/** Each thing alone, and whether it knows a booking that nobody else does. Answers how many things there are. */
async function auditThingsOf(ctx: Context, { name, audit }: BookableKind, to: Tally<Violation>): Promise<number> {
  let count = 0
  for await (const thing of audit.all(ctx)) {
    count++
    to.add(thing.violations)
    to.add(await checkMarkers(ctx, `${name} ${thing.id}`, thing.markers))
  }
  return count
}

const UNAUDITED = ['repairs', 'outbox', 'request', 'requestId'] as const
const AUDITED_FIELDS = Object.fromEntries(UNAUDITED.map((each) => [each, 0])) as Record<string, 0>

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

/** Answers how many bookings of theirs there were when the audit began. */
async function auditUsersBookings(
  ctx: Context,
  page: UserPage,
  startedAt: Date,
  to: Tally<Violation>,
): Promise<number> {
  const ids = page.map(({ id }) => id)
  const before = await bookingsOf(ctx, ids)
  const { items } = await auditUsersPage(ctx, { userIds: ids })
  const booked = await bookedBy(ctx, before)
  const after = await bookingsOf(ctx, ids)

  const settled = settledBetween(before, after)
  const byUser = groupBy(settled, ({ booking }) => String(booking.userId))
  const theirs = new Map(after.map((booking) => [String(booking._id), booking]))
  const known = new Set(theirs.keys())
  for (const user of items) {
    to.add(user.violations.map((detail) => violation('ledger', user.id, detail)))
    to.add(checkUser(user, byUser.get(user.id) ?? [], known))
  }
  for (const each of settled) {
    to.add(checkReversal(each.booking, theirs))
    const kind = kindOf(each.booking)
    to.add(checkThingOf(each, kind, booked.get(kind.name)?.get(thingOf(each.booking))))
  }
  return after.filter(({ createdAt }) => createdAt <= startedAt).length
}

async function bookingsOf(ctx: Context, userIds: string[]): Promise<AuditedBooking[]> {
  return ctx
    .model(Booking)
    .find({ userId: { $in: userIds.map((each) => new ObjectId(each)) } }, AUDITED_FIELDS)
    .lean()
}

/** What these bookings are of, by kind and id. */
async function bookedBy(ctx: Context, before: AuditedBooking[]): Promise<Map<string, Map<string, Booked>>> {
  const found = new Map<string, Map<string, Booked>>()
  for (const [name, theirs] of groupBy(before, (each) => kindOf(each).name)) {
    const kind = bookableKinds().get(name) as BookableKind
    const things = await kind.audit.find(ctx, [...new Set(theirs.map(thingOf))])
    found.set(
      name,
      new Map(things.map((thing) => [thing.id, { thing, records: groupBy(thing.records, ({ id }) => id) }])),
    )
  }
  return found
}

/** Every marker has its booking: a booking is durable before anything of it reaches what is booked. */
async function checkMarkers(ctx: Context, owner: string, ids: string[]): Promise<Violation[]> {
  if (ids.length === 0) return []
  const found = await ctx
    .model(Booking)
    .find({ _id: { $in: ids.map((each) => new ObjectId(each)) } }, { _id: 1 })
    .lean()
  const known = new Set(found.map(({ _id }) => String(_id)))
  return ids
    .filter((id) => !known.has(id))
    .map((id) => violation('marker_has_booking', id, `${owner} knows it, no booking does`))
}

async function checkOutstanding(ctx: Context): Promise<Violation[]> {
  const fields = { userId: 1, parked: 1, recoveries: 1, lastModified: 1, state: 1 }
  const outstanding = await ctx.model(Booking).find(isOutstanding, fields).sort({ createdAt: 1 }).lean()
  const late = outstanding.filter((each) => isLate(ctx, each))
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

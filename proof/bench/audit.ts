import type { mongo } from 'mongoose'
import { BALANCE } from './workload.js'

interface Booking {
  _id: mongo.ObjectId
  userId: mongo.ObjectId
  carId: mongo.ObjectId
  from: Date
  to: Date
  cost: number
  state: string
}

interface User {
  _id: mongo.ObjectId
  balance: number
  bookings: mongo.ObjectId[]
}

interface Car {
  _id: mongo.ObjectId
  bookings: { _id: mongo.ObjectId; from: Date; to: Date }[]
}

/**
 * The books of a run by plain arithmetic, the same for every arm: what was acknowledged is COMMITTED, each such booking
 * was paid once and stands once at its user and its car, no car is held twice, no cent is lost or made up. Answers what
 * is wrong. `unknown`: so many requests got no answer; their bookings may stand or not, but never in part.
 */
export async function auditRun(db: mongo.Db, run: { acknowledged: number; unknown: number }): Promise<string[]> {
  const anomalies: string[] = []
  const bookings = await db.collection<Booking>('bookings').find().toArray()
  const committed = bookings.filter(({ state }) => state === 'COMMITTED')
  const open = bookings.filter(({ state }) => state !== 'COMMITTED' && state !== 'CANCELLED')

  if (committed.length < run.acknowledged || committed.length > run.acknowledged + run.unknown) {
    anomalies.push(`${run.acknowledged} acknowledged, ${run.unknown} unknown, ${committed.length} committed`)
  }
  if (open.length > run.unknown) anomalies.push(`${open.length} outstanding, ${run.unknown} unknown`)
  const undecided = new Set(open.map(({ _id }) => String(_id)))

  const byUser = groupIds(committed, ({ userId }) => userId)
  const byCar = groupIds(committed, ({ carId }) => carId)
  const costOf = new Map(bookings.map(({ _id, cost }) => [String(_id), cost]))

  for await (const user of db.collection<User>('users').find()) {
    const owner = `user ${String(user._id)}`
    const active = user.bookings.map(String)
    anomalies.push(...compare(owner, active, byUser.get(String(user._id)) ?? [], undecided))
    const spent = active.reduce((sum, id) => sum + (costOf.get(id) ?? 0), 0)
    if (user.balance !== BALANCE - spent) anomalies.push(`${owner} has ${user.balance}, not ${BALANCE - spent}`)
  }
  for await (const car of db.collection<Car>('cars').find()) {
    const owner = `car ${String(car._id)}`
    anomalies.push(
      ...compare(
        owner,
        car.bookings.map(({ _id }) => String(_id)),
        byCar.get(String(car._id)) ?? [],
        undecided,
      ),
    )
    const sorted = car.bookings.toSorted((a, b) => Number(a.from) - Number(b.from))
    const overlaps = sorted.filter(({ from }, i) => i > 0 && (sorted[i - 1] as Car['bookings'][number]).to > from)
    if (overlaps.length > 0) anomalies.push(`${owner} is held twice ${overlaps.length} times`)
  }
  return anomalies
}

function groupIds(bookings: Booking[], ownerOf: (booking: Booking) => mongo.ObjectId): Map<string, string[]> {
  const groups = new Map<string, string[]>()
  for (const booking of bookings) {
    const owner = String(ownerOf(booking))
    const group = groups.get(owner)
    if (group) group.push(String(booking._id))
    else groups.set(owner, [String(booking._id)])
  }
  return groups
}

/** A booking that is still undecided may stand at one participant already. */
function compare(owner: string, active: string[], committed: string[], undecided: Set<string>): string[] {
  const seen = new Set(active)
  const expected = new Set(committed)
  const missing = committed.filter((id) => !seen.has(id))
  const surplus = active.filter((id) => !expected.has(id) && !undecided.has(id))
  return [
    ...(seen.size === active.length ? [] : [`${owner} lists a booking twice`]),
    ...(missing.length === 0 ? [] : [`${owner} lacks ${missing.length} bookings, e.g. ${missing[0]}`]),
    ...(surplus.length === 0
      ? []
      : [`${owner} lists ${surplus.length} bookings that do not stand, e.g. ${surplus[0]}`]),
  ]
}

import type { Document } from '../documents.js'
import type { Ending } from '../executor.js'
import { documentsOf, type CollectionName, type Snapshot } from '../snapshot.js'
import type { About } from '../theatre.js'

/**
 * The books, by arithmetic of their own: nothing here is taken from the product, so that a mistake there cannot hide
 * itself. Each check answers a sentence on what is wrong.
 */

interface BookingRow {
  _id: Id
  userId: Id
  carId?: Id
  roomId?: Id
  from: Date
  to: Date
  cost: number
  state: string
  reason?: string
  reverses?: Id
  reversedBy?: Id
}
interface UserRow {
  _id: Id
  balance: number
  bookings: Id[]
  pendingBookings: Id[]
  tombstones: Id[]
  recentLedger: { cause: string; causeId: Id; change: number }[]
}
/** What is booked. */
interface ThingRow<At> {
  _id: Id
  bookings: { _id: Id; from: At; to: At }[]
  pendingBookings: Id[]
  tombstones: Id[]
}
type CarRow = ThingRow<Date>
/** By days, as text. */
type RoomRow = ThingRow<string> & { units: number }
type Id = Document['_id']

const rows = <T>(snapshot: Snapshot, collection: CollectionName): T[] =>
  documentsOf(snapshot, collection) as unknown as T[]

const FINAL = ['COMMITTED', 'CANCELLED']

/** What must hold at every moment, whatever is under way. */
export function checkAlways(snapshot: Snapshot): string | undefined {
  const outstanding = new Set<string>()
  const reversed = new Set<string>()
  const bookings = rows<BookingRow>(snapshot, 'bookings')
  const byId = new Map(bookings.map((booking) => [String(booking._id), booking]))
  for (const booking of bookings) {
    const user = String(booking.userId)
    if (!FINAL.includes(booking.state)) {
      if (outstanding.has(user)) return `user ${user} has two outstanding bookings`
      outstanding.add(user)
    }
    if (booking.reverses) {
      if (reversed.has(String(booking.reverses))) return `booking ${String(booking.reverses)} is reversed twice`
      reversed.add(String(booking.reverses))
      const original = byId.get(String(booking.reverses))
      if (booking.state === 'COMMITTED' && !original?.reversedBy?.equals(booking._id))
        return `reversal ${String(booking._id)} is COMMITTED, and booking ${String(booking.reverses)} does not say so`
    }
    if (booking.reversedBy) {
      const reversal = byId.get(String(booking.reversedBy))
      if (!reversal?.reverses?.equals(booking._id) || !['APPLIED', 'COMMITTED'].includes(reversal.state))
        return `booking ${String(booking._id)} says that it is taken back, by ${reversal?.state ?? 'nothing'}`
    }
  }
  for (const user of rows<UserRow>(snapshot, 'users')) {
    const ledger = user.recentLedger.reduce((sum, { change }) => sum + change, 0)
    if (user.balance < 0) return `user ${String(user._id)} has balance ${user.balance}`
    if (user.balance !== ledger) return `user ${String(user._id)} has balance ${user.balance}, ledger ${ledger}`
    if (repeats(user.bookings)) return `user ${String(user._id)} holds a booking twice`
  }
  for (const car of rows<CarRow>(snapshot, 'cars')) {
    if (repeats(car.bookings.map(({ _id }) => _id))) return `car ${String(car._id)} holds a booking twice`
    for (const [i, a] of car.bookings.entries()) {
      for (const b of car.bookings.slice(i + 1)) {
        if (a.from < b.to && b.from < a.to)
          return `car ${String(car._id)} is held by ${String(a._id)} and ${String(b._id)}`
      }
    }
  }
  for (const room of rows<RoomRow>(snapshot, 'rooms')) {
    if (repeats(room.bookings.map(({ _id }) => _id))) return `room ${String(room._id)} holds a booking twice`
    for (const [night, held] of heldByNight(room)) {
      if (held > room.units) return `room ${String(room._id)} is held ${held} times on ${night}, of ${room.units}`
    }
  }
  return undefined
}

/** How many bookings are active on each night, by the day that it begins on. */
function heldByNight({ bookings }: RoomRow): Map<string, number> {
  const held = new Map<string, number>()
  for (const { from, to } of bookings) {
    for (let night = from; night < to; night = dayOf(new Date(Date.parse(night) + DAY_MS))) {
      held.set(night, (held.get(night) ?? 0) + 1)
    }
  }
  return held
}

const DAY_MS = 24 * 3_600_000
/** The rooms of the cases are in UTC. */
const dayOf = (time: Date): string => time.toISOString().slice(0, 10)

const repeats = (ids: Id[]): boolean => new Set(ids.map(String)).size < ids.length

const NEXT: Record<string, string[]> = {
  INITIAL: ['PENDING', 'CANCELLING'],
  PENDING: ['APPLIED', 'CANCELLING'],
  APPLIED: ['COMMITTED'],
  CANCELLING: ['CANCELLED'],
  COMMITTED: [],
  CANCELLED: [],
}

/** What must hold of every write of a booking. */
export function checkWrite(before: Document | null, after: Document): string | undefined {
  const [from, to] = [before?.['state'], after['state']] as [string | undefined, string]
  if (from === undefined || from === to) return undefined
  if (!NEXT[from]?.includes(to)) return `booking ${String(after._id)} went from ${from} to ${to}`
  if (to === 'CANCELLING' && after['reverses']) return `the reversal ${String(after._id)} was cancelled`
  return undefined
}

/** When nobody is at work and recovery has run: every booking final, and every participant as the bookings say. */
export function checkSettled(books: Snapshot): string | undefined {
  const bookings = rows<BookingRow>(books, 'bookings')
  const known = new Map(bookings.map((booking) => [String(booking._id), booking]))
  const reversed = new Set(bookings.flatMap(({ reverses }) => (reverses ? [String(reverses)] : [])))
  for (const booking of bookings) {
    const id = String(booking._id)
    if (!FINAL.includes(booking.state)) return `booking ${id} is still ${booking.state}`
    if (booking.reverses) {
      const original = known.get(String(booking.reverses))
      if (original?.state !== 'COMMITTED') return `reversal ${id} is of a booking that is ${String(original?.state)}`
      if (booking.state !== 'COMMITTED') return `reversal ${id} is ${booking.state}`
    }
  }
  const stands = (b: BookingRow) => b.state === 'COMMITTED' && !b.reverses && !reversed.has(String(b._id))

  for (const user of rows<UserRow>(books, 'users')) {
    const effect = new Map<string, number>()
    for (const { cause, causeId, change } of user.recentLedger) {
      if (cause !== 'deposit') effect.set(String(causeId), (effect.get(String(causeId)) ?? 0) + change)
    }
    for (const id of [
      ...effect.keys(),
      ...[...user.bookings, ...user.pendingBookings, ...user.tombstones].map(String),
    ]) {
      if (!known.has(id)) return `user ${String(user._id)} knows ${id}, which is no booking`
    }
    for (const booking of bookings.filter(({ userId }) => userId.equals(user._id))) {
      const id = String(booking._id)
      const due = booking.state === 'COMMITTED' ? (booking.reverses ? booking.cost : -booking.cost) : 0
      const done = effect.get(id) ?? 0
      if (done !== due) return `${booking.state} booking ${id} changed the balance by ${done}, not ${due}`
      const active = user.bookings.some((each) => each.equals(booking._id))
      if (active !== stands(booking))
        return `${booking.state} booking ${id} is ${active ? '' : 'not '}active at its user`
    }
  }
  for (const kind of ['car', 'room'] as const) {
    for (const thing of rows<ThingRow<unknown>>(books, `${kind}s`)) {
      const its = bookings.filter((booking) => booking[`${kind}Id`]?.equals(thing._id))
      const wrong = checkThing(kind, thing, its, known, stands)
      if (wrong !== undefined) return wrong
    }
  }
  return undefined
}

function checkThing(
  kind: 'car' | 'room',
  { _id: thingId, bookings: records, pendingBookings, tombstones }: ThingRow<unknown>,
  its: BookingRow[],
  known: ReadonlyMap<string, BookingRow>,
  stands: (booking: BookingRow) => boolean,
): string | undefined {
  for (const id of [...records.map(({ _id }) => _id), ...pendingBookings, ...tombstones].map(String)) {
    if (!known.has(id)) return `${kind} ${String(thingId)} knows ${id}, which is no booking`
  }
  const held = (time: Date) => (kind === 'room' ? dayOf(time) : Number(time))
  for (const booking of its) {
    const record = records.find(({ _id }) => _id.equals(booking._id))
    if ((record !== undefined) !== stands(booking)) {
      return `${booking.state} booking ${String(booking._id)} is ${record ? '' : 'not '}active at its ${kind}`
    }
    const holds = (at: unknown) => (at instanceof Date ? Number(at) : at)
    if (record && (holds(record.from) !== held(booking.from) || holds(record.to) !== held(booking.to))) {
      return `booking ${String(booking._id)} holds another period of its ${kind}`
    }
  }
  return undefined
}

export const isOutstanding = (books: Snapshot): boolean =>
  rows<BookingRow>(books, 'bookings').some(({ state }) => !FINAL.includes(state))

export function outcome(books: Snapshot): string {
  const bookings = rows<BookingRow>(books, 'bookings').map(({ _id, reverses, state, reason }) => {
    const name = reverses ? 'reversal' : short(String(_id))
    return `${name} ${state}${reason ? ` (${reason})` : ''}`
  })
  return bookings.sort().join(', ')
}

const short = (id: string): string => id.replace(/^0+/, '')

/** Told by createBooking and cancelBooking: as presenters and refusals show a booking. */
interface Told {
  id: string
  state: string
  reason?: string
}

/** Whether what an executor was answered is what came about. */
export function checkEnding(ending: Ending, books: Snapshot, { reasons }: About): string | undefined {
  const told = 'answered' in ending ? toldBookings(ending.answered) : toldByRefusal(ending.failed)
  if (typeof told === 'string') return told
  for (const { id, state, reason } of told) {
    const booking = rows<BookingRow>(books, 'bookings').find(({ _id }) => String(_id) === id)
    const due = state === 'APPLIED' ? 'COMMITTED' : state
    if (booking?.state !== due || (state === 'CANCELLED' && booking.reason !== reason)) {
      return `told that booking ${id} is ${state} ${reason ?? ''}, but it is ${booking?.state} ${booking?.reason ?? ''}`
    }
    if (reason !== undefined && !reasons.includes(reason)) return `told ${reason}, which cannot be`
  }
  return undefined
}

function toldBookings(answered: unknown): Told[] {
  const { booking, reversal } = answered as { booking?: Told; reversal?: Told }
  if (booking) return reversal ? [booking, reversal] : [booking]
  return typeof answered === 'object' && answered !== null && 'state' in answered ? [answered as Told] : []
}

/** Refusals that promise nothing about the booking. Everything else but these and the reasons below is a defect. */
const SILENT = ['deadline_exceeded', 'unavailable', 'booking_outstanding', 'booking_not_found', 'booking_not_stuck']
const REASONS = ['car_unavailable', 'room_unavailable', 'insufficient_funds']

function toldByRefusal(error: Error): Told[] | string {
  const { code, details } = error as {
    code?: string
    details?: { bookingId?: string; state?: string; reason?: string }
  }
  if (error.name === 'Unknown' || (code && SILENT.includes(code))) return []
  if (code && details?.bookingId && REASONS.includes(code))
    return [{ id: details.bookingId, state: 'CANCELLED', reason: code }]
  if (code === 'booking_state_changed' && details?.state !== undefined) {
    const { bookingId, state, reason } = details
    // The admin's operations tell where it stood just then, which is no end.
    if (bookingId === undefined) return []
    return [{ id: bookingId, state, ...(reason !== undefined && { reason }) }]
  }
  return `failed with ${error.stack ?? error.message}`
}

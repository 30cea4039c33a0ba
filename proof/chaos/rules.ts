import type { Report, Violation } from './journal.js'
import { checkCapacity, nightsIn, nightsOf } from './nights.js'
import type {
  ArchivedEntry,
  BookingRecord,
  HeldRecord,
  Kind,
  LedgerEntry,
  RoomRecord,
  Snapshot,
  TransferRecord,
  UserRecord,
} from './snapshot.js'

/**
 * The invariants, by our own arithmetic. A snapshot is one moment, and what the protocol made durable before something
 * else is in it whenever that is; so most of them hold exactly at every moment, not only when all is quiet.
 */

const HOUR_MS = 3_600_000
const FINAL = ['COMMITTED', 'CANCELLED']

/** How often a booking's effect may stand in its user and what it is of, by its state. */
const EFFECT: Record<string, readonly [atLeast: number, atMost: number]> = {
  INITIAL: [0, 0],
  PENDING: [0, 1],
  APPLIED: [1, 1],
  COMMITTED: [1, 1],
  CANCELLING: [0, 1],
  CANCELLED: [0, 0],
}

/** What may become of a state. */
const LATER: Record<string, readonly string[]> = {
  INITIAL: ['INITIAL', 'PENDING', 'APPLIED', 'COMMITTED', 'CANCELLING', 'CANCELLED'],
  PENDING: ['PENDING', 'APPLIED', 'COMMITTED', 'CANCELLING', 'CANCELLED'],
  APPLIED: ['APPLIED', 'COMMITTED'],
  COMMITTED: ['COMMITTED'],
  CANCELLING: ['CANCELLING', 'CANCELLED'],
  CANCELLED: ['CANCELLED'],
}

/** What all cars cost an hour, and all rooms a night. */
export interface Prices {
  perHour: number
  perNight: number
}

/** What must hold at every moment. */
export function checkMoment(snapshot: Snapshot, prices: Prices): Violation[] {
  const violations: Violation[] = []
  const report: Report = (rule, id, detail) => void violations.push({ rule, id, detail })

  const bookings = new Map(snapshot.bookings.map((booking) => [booking.id, booking]))
  const users = new Map(snapshot.users.map((user) => [user.id, user]))
  const rooms = new Map(snapshot.rooms.map((room) => [room.id, room]))
  const archives = groupBy(snapshot.archive, ({ userId }) => userId)
  const ledgers = new Map(snapshot.users.map((user) => [user.id, ledgerOf(user, archives.get(user.id) ?? [], report)]))

  for (const user of snapshot.users) {
    if (user.balance < 0) report('balance_not_negative', user.id, `it is ${user.balance}`)
    const sum = total(ledgers.get(user.id) ?? [])
    if (user.balance !== sum) report('balance_is_ledger', user.id, `balance ${user.balance}, ledger ${sum}`)
    const marks = [...user.bookings, ...user.pendingBookings, ...user.tombstones]
    checkMarks('user', user.id, marks, (id) => bookings.get(id)?.userId, report)
  }
  for (const car of snapshot.cars) checkOverlaps(car.id, car.bookings, report)
  for (const room of snapshot.rooms) checkCapacity(room, room.bookings, report)
  for (const thing of [...snapshot.cars, ...snapshot.rooms]) {
    const marks = [...thing.bookings.map(({ id }) => id), ...thing.pendingBookings, ...thing.tombstones]
    checkMarks('thing', thing.id, marks, (id) => bookings.get(id)?.thingId, report)
  }

  const reversals = checkReversals(snapshot.bookings, bookings, report)
  const effects = new Map([...ledgers].map(([userId, entries]) => [userId, groupBy(entries, ({ causeId }) => causeId)]))
  const places = placesOf(snapshot)
  for (const booking of snapshot.bookings) {
    const { userId, kind, thingId } = booking
    if (!users.has(userId) || !places[kind].has(thingId)) report('participants_exist', booking.id, 'one does not')
    const entries = effects.get(booking.userId)?.get(booking.id) ?? []
    if (booking.reverses) {
      checkReversalEffect(booking, booking.reverses, entries, places, report)
    } else {
      checkEffect(booking, entries, reversedBy(reversals.get(booking.id), effects), places, report)
      checkHeld(booking, rooms.get(thingId), places, report)
      checkCost(booking, rooms.get(thingId), prices, report)
    }
  }
  checkOutstanding(snapshot.bookings, report)
  checkTransfers(snapshot.transfers, effects, report)
  checkCauses(ledgers, bookings, snapshot.transfers, report)
  checkStanding(snapshot, reversals, report)
  return violations
}

/** What must hold once nothing is under way any more. */
export function checkRest(snapshot: Snapshot): Violation[] {
  const violations: Violation[] = []
  const report: Report = (rule, id, detail) => void violations.push({ rule, id, detail })
  for (const { id, state, parked } of snapshot.bookings) {
    if (!FINAL.includes(state) && !parked) report('nothing_outstanding', id, `it is ${state}`)
  }
  for (const { id, kind, state } of snapshot.transfers) {
    if (!FINAL.includes(state)) report('nothing_outstanding', id, `the ${kind} is ${state}`)
  }
  if (violations.length > 0 || snapshot.bookings.some(({ parked }) => parked)) return violations

  const expected = new Map<string, number>()
  const add = (userId: string, amount: number): void => void expected.set(userId, (expected.get(userId) ?? 0) + amount)
  for (const { kind, userId, amount, state } of snapshot.transfers) {
    if (state === 'COMMITTED') add(userId, kind === 'deposit' ? amount : -amount)
  }
  for (const { userId, cost, state, reverses } of snapshot.bookings) {
    if (state === 'COMMITTED') add(userId, reverses ? cost : -cost)
  }
  for (const { id, balance } of snapshot.users) {
    if (balance !== (expected.get(id) ?? 0)) {
      report('balance_is_recorded', id, `balance ${balance}, the records make it ${expected.get(id) ?? 0}`)
    }
  }
  return violations
}

/** What must not change between two moments. */
export function checkChange(before: ReadonlyMap<string, string>, later: Snapshot): Violation[] {
  const states = new Map(later.bookings.map(({ id, state }) => [id, state]))
  return [...before].flatMap(([id, state]) => {
    const now = states.get(id)
    // An insert alone is not durable yet: a failover may lose it, as long as nothing came of it.
    if (now === undefined && state === 'INITIAL') return []
    if (now !== undefined && LATER[state]?.includes(now)) return []
    return [{ rule: 'state_only_moves_on', id, detail: `${state}, later ${now ?? 'gone'}` }]
  })
}

/** The whole ledger of a user: what was archived, as far as the user's document says, and what is recent. */
function ledgerOf(user: UserRecord, archive: ArchivedEntry[], report: Report): LedgerEntry[] {
  const { count, balance } = user.archived
  const moved = archive.filter(({ number }) => number <= count).sort((a, b) => a.number - b.number)
  if (moved.length !== count) report('archive_is_whole', user.id, `${moved.length} entries of ${count}`)
  let sum = 0
  moved.forEach(({ number, change, balanceAfter }, i) => {
    sum += change
    if (number !== i + 1 || balanceAfter !== sum) report('archive_adds_up', user.id, `entry ${number}`)
  })
  if (sum !== balance) report('archive_adds_up', user.id, `archived ${balance}, entries ${sum}`)
  return [...moved, ...user.recent]
}

function checkMarks(
  kind: string,
  id: string,
  marks: string[],
  ownerOf: (bookingId: string) => string | undefined,
  report: Report,
): void {
  for (const mark of new Set(marks)) {
    const owner = ownerOf(mark)
    if (owner !== id) report('marker_has_booking', mark, `${kind} ${id} knows it; it is of ${owner ?? 'nobody'}`)
  }
}

function checkOverlaps(carId: string, periods: { id: string; from: number; to: number }[], report: Report): void {
  const sorted = [...periods].sort((a, b) => a.from - b.from)
  sorted.forEach((next, i) => {
    const previous = sorted[i - 1]
    if (previous && previous.to > next.from) report('no_overlap', carId, `${previous.id} and ${next.id}`)
  })
}

/** The same from the bookings themselves: those that stand never overlap either, or fill more units than there are. */
function checkStanding(
  { bookings, cars, rooms }: Snapshot,
  reversals: ReadonlyMap<string, BookingRecord>,
  report: Report,
): void {
  const standing = bookings.filter(
    ({ id, state, reverses }) => !reverses && ['APPLIED', 'COMMITTED'].includes(state) && !reversals.has(id),
  )
  const theirs = groupBy(standing, ({ thingId }) => thingId)
  for (const { id } of cars) checkOverlaps(id, theirs.get(id) ?? [], report)
  for (const room of rooms) checkCapacity(room, theirs.get(room.id)?.map((each) => nightsOf(each, room)) ?? [], report)
}

const SAME = ['userId', 'kind', 'thingId', 'from', 'to', 'cost'] as const

/** By the booking that they take back. */
function checkReversals(
  all: BookingRecord[],
  bookings: ReadonlyMap<string, BookingRecord>,
  report: Report,
): Map<string, BookingRecord> {
  const reversals = new Map<string, BookingRecord>()
  for (const reversal of all) {
    if (!reversal.reverses) continue
    const original = bookings.get(reversal.reverses)
    if (reversals.has(reversal.reverses)) report('one_reversal', reversal.reverses, 'it has two')
    reversals.set(reversal.reverses, reversal)
    if (original?.state !== 'COMMITTED' || original.reverses) {
      report('reversal_of_committed', reversal.id, `the original is ${original?.state ?? 'not there'}`)
    }
    if (reversal.state.startsWith('CANCEL')) report('reversal_goes_forward', reversal.id, reversal.state)
    const same = SAME.every((key) => original?.[key] === reversal[key])
    if (!same) report('reversal_is_full', reversal.id, 'it differs from its original')
  }
  return reversals
}

type Effects = ReadonlyMap<string, Map<string, LedgerEntry[]>>

/** Where bookings are active, and how often: at users, and at what they are of. */
interface Places extends Record<Kind, ReadonlyMap<string, Map<string, Held>>> {
  users: ReadonlyMap<string, Map<string, number>>
}
interface Held {
  from: number | string
  to: number | string
  times: number
}

function placesOf({ users, cars, rooms }: Snapshot): Places {
  return {
    users: new Map(users.map((user) => [user.id, timesOf(user.bookings)])),
    car: new Map(cars.map(({ id, bookings }) => [id, recordsOf(bookings)])),
    room: new Map(rooms.map(({ id, bookings }) => [id, recordsOf(bookings)])),
  }
}

function timesOf(ids: string[]): Map<string, number> {
  const times = new Map<string, number>()
  for (const id of ids) times.set(id, (times.get(id) ?? 0) + 1)
  return times
}

function recordsOf(bookings: HeldRecord<number | string>[]): Map<string, Held> {
  const times = timesOf(bookings.map(({ id }) => id))
  return new Map(bookings.map(({ id, from, to }) => [id, { from, to, times: times.get(id) ?? 0 }]))
}

interface Reversed {
  user: boolean
  /** The reversal is decided, or on its way: its effect on what is booked may be there. */
  thing: 'no' | 'maybe' | 'yes'
}

function reversedBy(reversal: BookingRecord | undefined, effects: Effects): Reversed {
  if (!reversal) return { user: false, thing: 'no' }
  const thing = reversal.state === 'INITIAL' ? 'no' : reversal.state === 'PENDING' ? 'maybe' : 'yes'
  return { user: (effects.get(reversal.userId)?.get(reversal.id) ?? []).length > 0, thing }
}

function checkEffect(
  booking: BookingRecord,
  entries: LedgerEntry[],
  reversed: Reversed,
  places: Places,
  report: Report,
): void {
  const { id, cost, state, userId, kind, thingId } = booking
  const taken = entries.filter(({ cause }) => cause === 'booking')
  const undone = entries.filter(({ cause }) => cause === 'booking_undone')
  const [atLeast, atMost] = EFFECT[state] ?? [0, 0]
  const stands = taken.length - undone.length
  const amounts = taken.every(({ change }) => change === -cost) && undone.every(({ change }) => change === cost)
  if (stands < atLeast || stands > atMost || taken.length > 1 || undone.length > 1 || !amounts) {
    report('effect_exactly_once', id, `${state}; user ${userId}: ${JSON.stringify(entries)}`)
  }
  const active = places.users.get(userId)?.get(id) ?? 0
  if (active !== stands - (reversed.user ? 1 : 0)) {
    report('active_where_paid', id, `${state}; active ${active} times at user ${userId}, paid ${stands} times`)
  }

  const held = places[kind].get(thingId)?.get(id)?.times ?? 0
  const least = reversed.thing === 'no' ? atLeast : 0
  const most = reversed.thing === 'yes' ? 0 : atMost
  if (held < least || held > most) {
    report('effect_exactly_once', id, `${state}; held ${held} times by ${kind} ${thingId}`)
  }
}

/** A car holds the period, a room its nights. */
function checkHeld(booking: BookingRecord, room: RoomRecord | undefined, places: Places, report: Report): void {
  const { id, kind, thingId } = booking
  const record = places[kind].get(thingId)?.get(id)
  const { from, to } = room ? nightsOf(booking, room) : booking
  if (record && (record.from !== from || record.to !== to)) {
    report('holds_the_period', id, `${kind} ${thingId} holds another one`)
  }
}

function checkReversalEffect(
  reversal: BookingRecord,
  originalId: string,
  entries: LedgerEntry[],
  places: Places,
  report: Report,
): void {
  const { id, state, cost, userId, kind, thingId } = reversal
  const [atLeast, atMost] = EFFECT[state] ?? [0, 0]
  const right = entries.every(({ cause, change }) => cause === 'reversal' && change === cost)
  if (entries.length < atLeast || entries.length > atMost || !right) {
    report('reversal_exactly_once', id, `${state}; user ${userId}: ${JSON.stringify(entries)}`)
  }
  const user = places.users.get(userId)
  const thing = places[kind].get(thingId)
  if (user?.has(id) || thing?.has(id)) report('reversal_is_not_active', id, state)
  if (atLeast === 1 && (user?.has(originalId) || thing?.has(originalId))) {
    report('reversed_is_not_active', originalId, `its reversal ${id} is ${state}`)
  }
}

function checkCost(booking: BookingRecord, room: RoomRecord | undefined, prices: Prices, report: Report): void {
  const { id, from, to, cost } = booking
  const expected = room
    ? nightsIn(nightsOf(booking, room)).length * prices.perNight
    : Math.ceil((to - from) / HOUR_MS) * prices.perHour
  if (cost !== expected) report('cost_is_right', id, `${cost} instead of ${expected}`)
}

function checkOutstanding(bookings: BookingRecord[], report: Report): void {
  const outstanding = bookings.filter(({ state }) => !FINAL.includes(state))
  for (const [userId, theirs] of groupBy(outstanding, ({ userId }) => userId)) {
    if (theirs.length > 1) report('one_outstanding', userId, theirs.map(({ id, state }) => `${id} ${state}`).join(', '))
  }
}

function checkTransfers(transfers: TransferRecord[], effects: Effects, report: Report): void {
  for (const { id, kind, userId, amount, state } of transfers) {
    const entries = (effects.get(userId)?.get(id) ?? []).filter(({ cause }) => cause === kind)
    const change = kind === 'deposit' ? amount : -amount
    const [atLeast, atMost] = EFFECT[state] ?? [0, 0]
    if (entries.length < atLeast || entries.length > atMost || entries.some((entry) => entry.change !== change)) {
      report(
        'transfer_exactly_once',
        id,
        `${kind} of ${amount} is ${state}; user ${userId}: ${JSON.stringify(entries)}`,
      )
    }
  }
}

/** Every change of a balance has its record, of that user. */
function checkCauses(
  ledgers: ReadonlyMap<string, LedgerEntry[]>,
  bookings: ReadonlyMap<string, BookingRecord>,
  transfers: TransferRecord[],
  report: Report,
): void {
  const owners = new Map(transfers.map(({ kind, id, userId }) => [`${kind} ${id}`, userId]))
  for (const [userId, entries] of ledgers) {
    for (const { cause, causeId } of entries) {
      const booking = bookings.get(causeId)
      const isReversal = cause === 'reversal'
      const owner = ['booking', 'booking_undone', 'reversal'].includes(cause)
        ? booking && Boolean(booking.reverses) === isReversal
          ? booking.userId
          : undefined
        : owners.get(`${cause} ${causeId}`)
      if (owner !== userId) report('money_has_cause', causeId, `${cause} in the ledger of ${userId}`)
    }
  }
}

const total = (entries: LedgerEntry[]): number => entries.reduce((sum, { change }) => sum + change, 0)

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group) group.push(item)
    else groups.set(key, [item])
  }
  return groups
}

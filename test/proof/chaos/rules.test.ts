import test from 'ava'
import { checkChange, checkMoment, checkRest } from '../../../proof/chaos/rules.js'
import type { BookingRecord, Snapshot } from '../../../proof/chaos/snapshot.js'

const HOUR_MS = 3_600_000
const PRICE = 100
const PRICES = { perHour: PRICE, perNight: PRICE }

/** Sound books: one booking that stands, one that was taken back, one that was refused, one under way. */
function books(): Snapshot {
  const booking = (id: string, hour: number, other: Partial<BookingRecord> = {}): BookingRecord => ({
    id,
    userId: 'u',
    kind: 'car',
    thingId: 'c',
    from: hour * HOUR_MS,
    to: (hour + 1) * HOUR_MS,
    cost: PRICE,
    state: 'COMMITTED',
    parked: false,
    createdAt: 0,
    lastModified: 0,
    repairs: 0,
    ...other,
  })
  /** Six o'clock on the day before in Berlin, where it is for one night. */
  const night = {
    kind: 'room',
    thingId: 'r',
    from: Date.parse('2031-03-30T18:00Z'),
    to: Date.parse('2031-03-31T10:00Z'),
  } as const
  return {
    at: 1n,
    bookings: [
      booking('stays', 0, { ...night, userId: 'v' }),
      booking('stands', 0),
      booking('reversed', 1),
      booking('reversal', 1, { reverses: 'reversed' }),
      booking('refused', 0, { state: 'CANCELLED', reason: 'car_unavailable' }),
      booking('underWay', 2, { state: 'PENDING' }),
    ],
    users: [
      {
        id: 'u',
        balance: 800,
        bookings: ['stands', 'underWay'],
        pendingBookings: ['underWay'],
        tombstones: ['reversed', 'reversal'],
        recent: [
          { cause: 'booking', causeId: 'reversed', change: -PRICE },
          { cause: 'reversal', causeId: 'reversal', change: PRICE },
          { cause: 'booking', causeId: 'refused', change: -PRICE },
          { cause: 'booking_undone', causeId: 'refused', change: PRICE },
          { cause: 'booking', causeId: 'underWay', change: -PRICE },
        ],
        archived: { count: 2, balance: 900 },
      },
      {
        id: 'v',
        balance: 900,
        bookings: ['stays'],
        pendingBookings: [],
        tombstones: [],
        recent: [
          { cause: 'deposit', causeId: 'e', change: 1000 },
          { cause: 'booking', causeId: 'stays', change: -PRICE },
        ],
        archived: { count: 0, balance: 0 },
      },
    ],
    rooms: [
      {
        id: 'r',
        units: 1,
        timeZone: 'Europe/Berlin',
        bookings: [{ id: 'stays', from: '2031-03-30', to: '2031-03-31' }],
        pendingBookings: [],
        tombstones: [],
      },
    ],
    cars: [
      {
        id: 'c',
        bookings: [{ id: 'stands', from: 0, to: HOUR_MS }],
        pendingBookings: [],
        tombstones: ['reversed', 'reversal'],
      },
    ],
    transfers: [
      { id: 'd', kind: 'deposit', userId: 'u', amount: 1000, state: 'COMMITTED' },
      { id: 'e', kind: 'deposit', userId: 'v', amount: 1000, state: 'COMMITTED' },
    ],
    archive: [
      { userId: 'u', number: 1, cause: 'deposit', causeId: 'd', change: 1000, balanceAfter: 1000 },
      { userId: 'u', number: 2, cause: 'booking', causeId: 'stands', change: -PRICE, balanceAfter: 900 },
    ],
  }
}

/** Small handles, so that each defect is a line. */
function spoil(snapshot: Snapshot) {
  const found = <T extends { id: string }>(list: T[], id: string): T => list.find((each) => each.id === id) as T
  return {
    snapshot,
    user: found(snapshot.users, 'u'),
    car: found(snapshot.cars, 'c'),
    room: found(snapshot.rooms, 'r'),
    deposit: found(snapshot.transfers, 'd'),
    booking: (id: string) => found(snapshot.bookings, id),
  }
}

test('sound books have no violation', (t) => {
  t.deepEqual(checkMoment(books(), PRICES), [])
})

const DEFECTS: Record<string, { rule: string; make: (books: ReturnType<typeof spoil>) => void }> = {
  'money from nowhere': { rule: 'balance_is_ledger', make: ({ user }) => (user.balance += 1) },
  'a negative balance': { rule: 'balance_not_negative', make: ({ user }) => (user.balance = -1) },
  'a debit twice': {
    rule: 'effect_exactly_once',
    make: ({ user }) => {
      user.recent.push({ cause: 'booking', causeId: 'stands', change: -PRICE })
      user.balance -= PRICE
    },
  },
  'a refund that is missing': {
    rule: 'effect_exactly_once',
    make: ({ user }) => {
      user.recent = user.recent.filter(({ cause }) => cause !== 'booking_undone')
      user.balance -= PRICE
    },
  },
  'a refund twice': {
    rule: 'reversal_exactly_once',
    make: ({ user }) => {
      user.recent.push({ cause: 'reversal', causeId: 'reversal', change: PRICE })
      user.balance += PRICE
    },
  },
  'an effect before its time': {
    rule: 'effect_exactly_once',
    make: ({ booking }) => (booking('underWay').state = 'INITIAL'),
  },
  'a decision before its effects': {
    rule: 'effect_exactly_once',
    make: ({ booking }) => (booking('underWay').state = 'APPLIED'),
  },
  'a car held without a booking that stands': {
    rule: 'effect_exactly_once',
    make: ({ car }) => car.bookings.push({ id: 'refused', from: 5 * HOUR_MS, to: 6 * HOUR_MS }),
  },
  'a car that forgot a booking': { rule: 'effect_exactly_once', make: ({ car }) => (car.bookings = []) },
  'a car booked twice': {
    rule: 'no_overlap',
    make: ({ car, booking }) => {
      Object.assign(booking('underWay'), { from: 0, to: HOUR_MS })
      car.bookings.push({ id: 'underWay', from: 0, to: HOUR_MS })
    },
  },
  'another period than the booked one': {
    rule: 'holds_the_period',
    make: ({ car }) => (car.bookings = [{ id: 'stands', from: 0, to: 2 * HOUR_MS }]),
  },
  'a room booked beyond its units on one of the nights': {
    rule: 'no_overbooking',
    make: ({ room, booking }) => {
      Object.assign(booking('underWay'), { kind: 'room', thingId: 'r' })
      room.bookings.push({ id: 'underWay', from: '2031-03-29', to: '2031-03-31' })
    },
  },
  'bookings beyond the units of a room that forgot them': {
    rule: 'no_overbooking',
    make: ({ snapshot, booking }) =>
      snapshot.bookings.push({ ...booking('stays'), id: 'another', to: booking('stays').to + 1 }),
  },
  'a room that forgot a booking': { rule: 'effect_exactly_once', make: ({ room }) => (room.bookings = []) },
  'a room held without a booking that stands': {
    rule: 'effect_exactly_once',
    make: ({ room, booking }) => {
      Object.assign(booking('refused'), { kind: 'room', thingId: 'r' })
      room.bookings.push({ id: 'refused', from: '2031-05-01', to: '2031-05-02' })
    },
  },
  'other nights than the booked ones': {
    rule: 'holds_the_period',
    make: ({ room }) => (room.bookings = [{ id: 'stays', from: '2031-03-30', to: '2031-04-01' }]),
  },
  'a wrong price of a night': { rule: 'cost_is_right', make: ({ booking }) => (booking('stays').cost = 2 * PRICE) },
  'two outstanding bookings': {
    rule: 'one_outstanding',
    make: ({ snapshot, booking }) =>
      snapshot.bookings.push({ ...booking('underWay'), id: 'another', state: 'INITIAL', from: 9 * HOUR_MS }),
  },
  'a marker of nothing': { rule: 'marker_has_booking', make: ({ car }) => car.tombstones.push('nothing') },
  'two reversals': {
    rule: 'one_reversal',
    make: ({ snapshot, booking }) => snapshot.bookings.push({ ...booking('reversal'), id: 'another' }),
  },
  'a reversal that was cancelled': {
    rule: 'reversal_goes_forward',
    make: ({ booking }) => (booking('reversal').state = 'CANCELLED'),
  },
  'a reversal of something else': {
    rule: 'reversal_is_full',
    make: ({ booking }) => (booking('reversal').cost = 1),
  },
  'a wrong price': { rule: 'cost_is_right', make: ({ booking }) => (booking('underWay').cost = 1) },
  'a deposit that did nothing': {
    rule: 'transfer_exactly_once',
    make: ({ snapshot, deposit }) => snapshot.transfers.push({ ...deposit, id: 'lost' }),
  },
  'a deposit that nobody made': { rule: 'money_has_cause', make: ({ snapshot }) => (snapshot.transfers = []) },
  'an archive with a hole': { rule: 'archive_is_whole', make: ({ snapshot }) => snapshot.archive.shift() },
}

for (const [name, { rule, make }] of Object.entries(DEFECTS)) {
  test(`found: ${name}`, (t) => {
    const snapshot = books()
    make(spoil(snapshot))
    t.true(checkMoment(snapshot, PRICES).some((violation) => violation.rule === rule))
  })
}

test('at rest nothing is outstanding, and the records explain every balance', (t) => {
  const snapshot = books()
  t.deepEqual(
    checkRest(snapshot).map(({ rule, id }) => [rule, id]),
    [['nothing_outstanding', 'underWay']],
  )
  snapshot.bookings = snapshot.bookings.filter(({ id }) => id !== 'underWay')
  t.deepEqual(
    checkRest(snapshot).map(({ rule }) => rule),
    ['balance_is_recorded'],
  )
})

test('between two moments a state only moves on, and nothing durable is gone', (t) => {
  const later = books()
  const wrong = (before: Record<string, string>) => checkChange(new Map(Object.entries(before)), later).length
  t.is(wrong({ stands: 'APPLIED', underWay: 'PENDING', refused: 'CANCELLING', lost: 'INITIAL' }), 0)
  t.is(wrong({ stands: 'CANCELLED' }), 1)
  t.is(wrong({ refused: 'COMMITTED' }), 1)
  t.is(wrong({ underWay: 'APPLIED' }), 1)
  t.is(wrong({ gone: 'PENDING' }), 1)
})

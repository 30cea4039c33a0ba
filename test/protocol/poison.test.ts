import test from 'ava'
import fc from 'fast-check'
import mongoose, { type Types } from 'mongoose'
import { calendars } from '../../functions/calendars/contract.js'
import { trains } from '../../functions/trains/contract.js'
import { SCHEDULE } from '../../jobs/schedule.js'
import type { Operation } from '../../platform/contract/contract.js'
import { long } from '../../platform/database/long.js'
import { onFailpoint } from '../../platform/lib/failpoints.js'
import { loadContracts } from '../../platform/runtime/tree.js'
import { filesOf, read } from '../house/graph.js'
import { untilMajority } from '../support/majority.js'
import { createTestSystem, HOUR_MS, START, type TestSystem } from '../support/system.js'

/** One bad entity never delays another: in every recovery, sweep and retry of the product. */

const { ObjectId } = mongoose.Types
/** A mail's is a text. */
type Id = Types.ObjectId | string

/** What one of them finds: how an entity with something to do is made, how it is spoilt for good, and when it is done. */
interface Sweep {
  make(system: TestSystem): Promise<Id>
  spoil(system: TestSystem, id: Id): Promise<unknown>
  isDone(system: TestSystem, id: Id): Promise<boolean>
}

const stored = (system: TestSystem, domain: string, collection: string) =>
  system.databases.connection(domain).collection(collection)

/** No write of it goes through any more: its validator refuses whatever it would become. */
const unwritable =
  (domain: string, collection: string, broken: Record<string, unknown>): Sweep['spoil'] =>
  (system, _id) =>
    stored(system, domain, collection).updateOne(
      { _id: _id as Types.ObjectId },
      { $set: broken },
      { bypassDocumentValidation: true },
    )

const has =
  (domain: string, collection: string, filter: object): Sweep['isDone'] =>
  async (system, _id) =>
    (await stored(system, domain, collection).findOne({ $and: [{ _id }, filter] })) !== null

async function insert(system: TestSystem, domain: string, collection: string, document: object): Promise<Id> {
  return (await stored(system, domain, collection).insertOne(document)).insertedId
}

const engineDocument = () => ({
  state: 'PENDING',
  epoch: 1,
  recoveries: 0,
  parked: false,
  repairs: [],
  requestId: 'r',
  createdAt: START,
  lastModified: START,
})
const MARK = { by: 'system', hash: 'x' }

const booking = async (system: TestSystem, state: string): Promise<Id> => {
  const { userId } = await system.makeUser({ balance: 1000 })
  const carId = await system.makeCar()
  return insert(system, 'bookings', 'bookings', {
    ...engineDocument(),
    state,
    userId: new ObjectId(userId),
    carId: new ObjectId(carId),
    from: new Date(START.getTime() + 1000 * HOUR_MS),
    to: new Date(START.getTime() + 1001 * HOUR_MS),
    cost: long(100),
    request: MARK,
  })
}

/** A thing or a user that still has the marker of a booking which came to nothing. */
const marked =
  (domain: string, collection: string, create: (system: TestSystem) => Promise<string>): Sweep['make'] =>
  async (system) => {
    const _id = new ObjectId(await create(system))
    const over = await booking(system, 'CANCELLED')
    await stored(system, domain, collection).updateOne({ _id }, { $push: { pendingBookings: over } } as never)
    return _id
  }

const tidying = (domain: string, collection: string, create: (system: TestSystem) => Promise<string>): Sweep => ({
  make: marked(domain, collection, create),
  spoil: unwritable(domain, collection, { version: 'bad' }),
  isDone: has(domain, collection, { 'pendingBookings.0': { $exists: false } }),
})

async function confirming(system: TestSystem): Promise<Id> {
  const [buyer, seller] = [await system.makeUser({ balance: 1000 }), await system.makeUser()]
  const at = (hours: number): string => new Date(START.getTime() + hours * HOUR_MS).toISOString()
  const input = { sellerId: seller.userId, from: at(20_000), to: at(20_001), note: '', price: 600 }
  const { id: invitationId } = await system.run(calendars.inviteToBooking, input, buyer)
  onFailpoint((point) => {
    if (point === 'settlement.pay.before') throw new Error('crash')
  })
  await system.run(calendars.confirmInvitation, { invitationId }, seller).catch(() => {})
  onFailpoint(null)
  return new ObjectId(invitationId)
}

async function acceptedCharge(system: TestSystem): Promise<Id> {
  const { userId: sellerId } = await system.makeUser()
  return insert(system, 'payments', 'charges', {
    ...{ orderId: new ObjectId(), userId: new ObjectId(), paymentId: new ObjectId(), payoutId: new ObjectId() },
    ...{ sellerId: new ObjectId(sellerId), amount: long(10), left: long(10), method: 'balance', state: 'accepted' },
    ...{ refunds: [], failures: 0, parked: false, attention: false, unseen: false, version: 1, revision: 1 },
    ...{ request: MARK, createdAt: START, lastModified: START, dueAt: START },
  })
}

const deadLetter = (system: TestSystem): Promise<Id> =>
  insert(system, 'bookings', 'events', {
    ...{ type: 'thing:changed', aggregate: { type: 'thing', id: new ObjectId() }, version: 1, payload: '{}' },
    ...{ requestId: 'r', createdAt: START, isLocked: false, failures: [], deadAt: START, alertAt: START },
  })

const endedHold = (system: TestSystem): Promise<Id> => {
  const [from, to] = [new Date(START.getTime() - 1000 * HOUR_MS), new Date(START.getTime() - 999 * HOUR_MS)]
  return insert(system, 'calendars', 'calendarHeads', {
    holds: [{ invitationId: new ObjectId(), from, to }],
    settling: [],
    forgottenBefore: new Date(0),
    live: { seller: {}, buyer: {} },
  })
}

const SWEEPS: Record<string, Sweep> = {
  recoverBookings: {
    make: (system) => booking(system, 'PENDING'),
    spoil: unwritable('bookings', 'bookings', { requestId: 5 }),
    isDone: has('bookings', 'bookings', { state: 'COMMITTED' }),
  },
  recoverPayments: {
    make: (system) => {
      const payment = { ...engineDocument(), amount: long(1), cause: { type: 'test', id: new ObjectId() } }
      return insert(system, 'payments', 'payments', payment)
    },
    spoil: unwritable('payments', 'payments', { requestId: 5 }),
    isDone: has('payments', 'payments', { state: 'COMMITTED' }),
  },
  recoverTransfers: {
    make: async (system) => {
      const userId = new ObjectId((await system.makeUser()).userId)
      const times = { createdAt: START, lastModified: START }
      return insert(system, 'users', 'deposits', {
        ...{ userId, amount: long(10), state: 'PENDING', request: MARK, requestId: 'r', ...times },
      })
    },
    // Of a user who is gone.
    spoil: unwritable('users', 'deposits', { userId: new ObjectId('f'.repeat(24)) }),
    isDone: has('users', 'deposits', { state: 'COMMITTED' }),
  },
  recoverCharges: {
    make: acceptedCharge,
    // To a seller who is gone.
    spoil: unwritable('payments', 'charges', { sellerId: new ObjectId('f'.repeat(24)) }),
    isDone: has('payments', 'charges', { state: 'settled' }),
  },
  recoverInvitations: {
    make: confirming,
    spoil: (system, id) =>
      stored(system, 'calendars', 'bookingLog').updateOne(
        { stream: String(id), kind: 'confirmation_started' },
        { $unset: { 'invitation.paymentId': 1 } },
        { bypassDocumentValidation: true },
      ),
    isDone: async (system, id) =>
      (await system.run(calendars.getInvitation, { invitationId: String(id) })).state === 'confirmed',
  },
  retryEvents: {
    make: deadLetter,
    spoil: unwritable('bookings', 'events', { payload: 'no JSON' }),
    isDone: has('bookings', 'events', { alertAt: { $exists: false } }),
  },
  recoverMails: {
    make: (system) =>
      insert(system, 'users', 'mails', {
        ...{
          _id: `reset_password:${system.newId()}`,
          kind: 'reset_password',
          mailId: new ObjectId(),
          to: 'a@example.com',
        },
        ...{ state: 'PENDING', inARow: 1, nextAt: START, failures: 0, parked: false },
        ...{ createdAt: START, lastModified: START },
      }),
    spoil: unwritable('users', 'mails', { inARow: 'bad' }),
    isDone: has('users', 'mails', { state: 'SENT' }),
  },
  tidyUsers: tidying('users', 'users', async (system) => (await system.makeUser()).userId),
  tidyThings: tidying('bookings', 'cars', (system) => system.makeCar()),
  tidyTrains: tidying('trains', 'trains', async (system) => {
    const [departureTime, arrivalTime] = [2000, 2001].map((hours) =>
      new Date(START.getTime() + hours * HOUR_MS).toISOString(),
    ) as [string, string]
    const terms = { route: 'A to B', departureTime, arrivalTime, availableSeats: 5, pricePerSeat: 100 }
    return (await system.run(trains.createTrain, terms)).id
  }),
  tidyCalendars: {
    make: endedHold,
    spoil: unwritable('calendars', 'calendarHeads', { live: 'bad' }),
    isDone: has('calendars', 'calendarHeads', { 'holds.0': { $exists: false } }),
  },
}

/** Sweeps in which no single entity can fail, and why. */
const CANNOT_FAIL: Record<string, string> = {
  tidyFeeds: 'it only deletes entries, which no validator refuses',
}

const sweeps = async (): Promise<Operation[]> => {
  const named = [...(await loadContracts()).values()].filter(({ name }) => /^(recover|retry|tidy)/.test(name))
  return [...new Set([...named, ...SCHEDULE.flatMap(({ calls }) => calls)])]
}

test('every recovery, sweep and retry that the tree has is among these', async (t) => {
  const names = (await sweeps()).map(({ name }) => name)
  t.deepEqual(names.sort(), [...Object.keys(SWEEPS), ...Object.keys(CANNOT_FAIL)].sort())
})

/** What comes back later by itself outside of these, and the test that shows the same of it. */
const ELSEWHERE: Record<string, [file: string, title: string] | string> = {
  'jobs/timers.ts': ['test/tickets/timers.test.ts', 'a timer that always fails delays no other'],
  'platform/events/retries.ts': ['test/events/deadLetters.test.ts', 'a poisoned event ends as a dead letter'],
  'platform/logs/halts.ts': ['test/projections/projections.test.ts', 'halts its stream alone'],
  'protocol/retries.ts': 'has what the others use',
  'protocol/recovery.ts': 'is behind recoverBookings and recoverPayments',
  'protocol/audit.ts': 'only judges how late recovery may be',
}

test('whatever else comes back later by a backoff has a test that says the same', (t) => {
  const files = ['functions', 'gateway', 'jobs', 'platform', 'projections', 'protocol', 'webhooks']
    .flatMap((room) => filesOf(room, /\.ts$/))
    .filter((file) => /\b(retryDelayMs|recoveryDelayMs|dueFilters)\b/.test(read(file)))
    .filter((file) => !Object.keys(SWEEPS).some((name) => file.endsWith(`/${name}.ts`)))
  t.deepEqual(files.sort(), Object.keys(ELSEWHERE).sort())
  for (const shown of Object.values(ELSEWHERE)) if (Array.isArray(shown)) t.true(read(shown[0]).includes(shown[1]))
})

test.serial('a single run does all that is good, wherever the bad ones stand', async (t) => {
  t.teardown(() => onFailpoint(null))
  const system = await createTestSystem(t)
  await system.makeUser({ role: 'admin' })
  const byName = new Map((await sweeps()).map((operation) => [operation.name, operation]))
  const mixed = fc
    .array(fc.boolean(), { minLength: 2, maxLength: 4 })
    .filter((each) => each.includes(true) && each.includes(false))
  for (const [name, { make, spoil, isDone }] of Object.entries(SWEEPS)) {
    const operation = byName.get(name) as Operation
    await fc.assert(
      fc.asyncProperty(mixed, async (areBad) => {
        const all: { id: Id; isBad: boolean }[] = []
        for (const isBad of areBad) {
          const id = await make(system)
          if (isBad) await spoil(system, id)
          all.push({ id, isBad })
        }
        system.clock.advance(48 * HOUR_MS)
        await untilMajority(system)
        await system.run(operation, {}, null).catch((error: unknown) => t.log(name, error))
        await untilMajority(system)
        for (const { id, isBad } of all) t.is(await isDone(system, id), !isBad, `${name}: ${isBad ? 'bad' : 'good'}`)
      }),
      { numRuns: 2, endOnFailure: true },
    )
  }
})

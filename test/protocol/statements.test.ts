import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import mongoose from 'mongoose'
import { long } from '../../platform/database/long.js'
import { mongoStore } from '../../protocol/mongoStore.js'
import { participant, type Held, type Vote } from '../../protocol/participant.js'
import type { GuardedUpdate, Id, Store } from '../../protocol/store.js'
import { sharedMongod } from '../support/mongod.js'

const { ObjectId } = mongoose.Types
const idOf = (kind: number, n: number): Id => new ObjectId((kind * 1000 + n).toString(16).padStart(24, '0'))
const HOUR_MS = 3_600_000
const CREATED = new Date('2031-01-01T00:00:00.000Z')
const LATER = new Date('2031-01-02T00:00:00.000Z')

interface Account {
  _id: Id
  forgottenBefore: Date
}

interface Booking extends Held {
  account: Id
  cost: number
  hour: number
}

/** Something that refuses for every reason that a participant can have: funds, a period, a retirement, its memory. */
const accountRules = {
  name: 'Account',
  places: { active: 'bookings', activeId: 'bookings._id', pending: 'pendingBookings', tombstones: 'tombstones' },
  documentId: ({ account }: Booking) => account,
  record: ({ _id, hour }: Booking) => ({ _id, ...hourOf(hour) }),
  can: ({ cost }: Booking) => ({ retired: false, balance: { $gte: long(cost) } }),
  free: ({ hour }: Booking) => ({ array: 'bookings', period: hourOf(hour) }),
  take: ({ _id, cost }: Booking) => ({
    $inc: { balance: long(-cost) },
    $push: { ledger: { causeId: _id, change: long(-cost) } },
    $set: { updatedAt: LATER },
  }),
  giveBack: () => ({}),
  reverse: () => ({}),
}

const hourOf = (n: number) => ({ from: new Date(n * HOUR_MS), to: new Date((n + 1) * HOUR_MS) })

async function collectionsOf(t: ExecutionContext) {
  const connection = await mongoose.createConnection((await sharedMongod()).uri()).asPromise()
  t.teardown(() => connection.destroy())
  return { connection, db: connection.db as mongoose.mongo.Db }
}

/** What a document may be like before, and the booking that wants it. */
const accounts = fc.array(
  fc.record({
    balance: fc.constantFrom(0, 10, 1000),
    retired: fc.constantFrom(false, false, false, true),
    memory: fc.constantFrom(new Date(0), new Date(0), new Date(0), LATER),
    heldHour: fc.constantFrom(null, null, 1, 2),
    /** Where it stands already: its apply comes a second time, or late. */
    known: fc.constantFrom(null, null, null, 'pendingBookings', 'tombstones'),
    cost: fc.constantFrom(0, 10, 20),
    hour: fc.integer({ min: 1, max: 3 }),
    twice: fc.constantFrom(false, false, false, true),
    missing: fc.constantFrom(false, false, false, false, true),
  }),
  { minLength: 1, maxLength: 40 },
)

test('applies of many documents at once do what they do one at a time', async (t) => {
  const { connection } = await collectionsOf(t)
  let runs = 0
  await fc.assert(
    fc.asyncProperty(accounts, async (drawn) => {
      const documents = drawn.flatMap(({ missing, balance, retired, memory, heldHour, known }, n) =>
        missing
          ? []
          : [
              {
                ...{ _id: idOf(1, n), retired, forgottenBefore: memory, balance: long(balance) },
                bookings: heldHour === null ? [] : [{ _id: idOf(3, n), ...hourOf(heldHour) }],
                pendingBookings: known === 'pendingBookings' ? [idOf(2, n)] : [],
                ...(known === 'tombstones' && { tombstones: [idOf(2, n)] }),
              },
            ],
      )
      const bookings = drawn.flatMap(({ cost, hour, twice }, n) => {
        const booking: Booking = { _id: idOf(2, n), createdAt: CREATED, account: idOf(1, n), cost, hour }
        return twice ? [booking, booking] : [booking]
      })

      const apply = async (name: string, run: (apply: (b: Booking) => Promise<Vote>) => Promise<Vote[]>) => {
        const collection = connection.collection<Account>(name)
        if (documents.length > 0) await collection.insertMany(documents)
        const store = mongoStore<Account>(collection as never, { timeoutMs: 10_000 })
        const votes = await run((booking) => participant(store, accountRules).apply(booking))
        return { votes, after: await collection.find().sort({ _id: 1 }).toArray() }
      }
      const together = await apply(`together${++runs}`, (each) => Promise.all(bookings.map(each)))
      const alone = await apply(`alone${runs}`, async (each) => {
        const votes: Vote[] = []
        for (const booking of bookings) votes.push(await each(booking))
        return votes
      })
      t.deepEqual(together, alone)
    }),
    { numRuns: 60 },
  )
})

test('of two processes that want the same at once, each document serves one', async (t) => {
  const { connection } = await collectionsOf(t)
  const collection = connection.collection<Account>('accounts')
  const accounts = Array.from({ length: 60 }, (_, n) => idOf(1, n))
  const document = { retired: false, forgottenBefore: new Date(0), balance: long(100), bookings: [], ledger: [] }
  await collection.insertMany(accounts.map((_id) => ({ _id, ...document })))
  const processes = [2, 3].map((kind) => {
    const store = mongoStore<Account>(collection as never, { timeoutMs: 10_000 })
    return { kind, account: participant(store, accountRules) }
  })

  for (let hour = 0; hour < 5; hour++) {
    const votes = await Promise.all(
      processes.map(({ kind, account }) => {
        // Each begins elsewhere, so that they meet in the middle of their statements.
        const order = kind === 2 ? accounts : accounts.toReversed()
        const booking = (of: Id): Booking => {
          const _id = idOf(kind * 10 + hour, accounts.indexOf(of))
          return { _id, createdAt: CREATED, account: of, cost: 10, hour }
        }
        return Promise.all(order.map(async (of) => [String(of), await account.apply(booking(of))] as const))
      }),
    )
    const [first, second] = votes.map((each) => new Map(each)) as [Map<string, Vote>, Map<string, Vote>]
    for (const account of accounts.map(String)) {
      t.deepEqual([first.get(account), second.get(account)].sort(), ['ok', 'refused'], `${account} at ${hour}`)
    }
  }
  for (const { balance, bookings, ledger } of (await collection.find().toArray()) as unknown as {
    balance: number
    bookings: unknown[]
    ledger: unknown[]
  }[]) {
    t.deepEqual([Number(balance), bookings.length, ledger.length], [50, 5, 5])
  }
})

interface Record {
  _id: Id
  state: string
  epoch: number
}

async function records(t: ExecutionContext, count: number) {
  const { connection, db } = await collectionsOf(t)
  const collection = connection.collection<Record>('records')
  const ids = Array.from({ length: count }, (_, n) => idOf(1, n))
  await collection.insertMany(ids.map((_id) => ({ _id, state: 'PENDING', epoch: 1 })))
  const store: Store<Record> = mongoStore<Record>(collection as never, { timeoutMs: 10_000 })
  const move = (id: Id, n: number): GuardedUpdate => ({
    id,
    guard: { state: 'PENDING', epoch: 1 },
    change: { $set: { state: 'APPLIED', at: new Date(n) }, $push: { events: { number: n } } },
  })
  const statements = () => db.collection('system.profile').countDocuments({ op: 'update' })
  return { collection, db, ids, store, move, statements }
}

test('moves of one step are one statement, and each document gets its own', async (t) => {
  const { collection, db, ids, store, move, statements } = await records(t, 20)
  await db.command({ profile: 2 })
  const answers = await Promise.all(ids.map((id, n) => store.update('APPLIED', move(id, n), 'majority')))
  t.true(answers.every(({ matched }) => matched))
  t.is(await statements(), 1)
  const after = await collection.find().sort({ _id: 1 }).toArray()
  const expected = ids.map((_id, n) => ({ _id, state: 'APPLIED', epoch: 1, at: new Date(n), events: [{ number: n }] }))
  t.deepEqual(after as unknown, expected)
})

test('where some do not match, only what may yet land goes out again', async (t) => {
  const { collection, db, ids, store, move, statements } = await records(t, 20)
  // Somebody took these over.
  await collection.updateMany({ _id: { $in: ids.slice(0, 3) } }, { $set: { epoch: 2 } })
  await db.command({ profile: 2 })
  const answers = await Promise.all(ids.map((id, n) => store.update('APPLIED', move(id, n), 'majority')))
  for (const [n, answer] of answers.entries()) {
    // It says no of all of them; what was seen says of which it is true.
    if (answer.matched) t.true(n >= 3)
    else t.is(answer.seen?.state, n < 3 ? 'PENDING' : 'APPLIED')
  }
  t.is(await statements(), 1)
  t.is((await collection.find().sort({ _id: 1 }).toArray()).filter(({ state }) => state === 'APPLIED').length, 17)
})

test('ids that leave one field at once leave it in one statement', async (t) => {
  const { collection, db, ids, store, statements } = await records(t, 20)
  const [stays, ...values] = ids.map((_, n) => idOf(2, n)) as [Id, ...Id[]]
  await collection.updateMany({}, { $set: { pending: [stays, ...values] } })
  await db.command({ profile: 2 })
  await Promise.all(values.map((value, n) => store.pull('clear', { id: ids[n] as Id, field: 'pending', value })))
  t.is(await statements(), 1)
  t.like(await collection.findOne({ _id: ids[0] as Id }), { pending: [stays] })
  // Nobody asked it of the last one.
  t.like(await collection.findOne({ _id: ids.at(-1) as Id }), { pending: [stays, ...values] })
})

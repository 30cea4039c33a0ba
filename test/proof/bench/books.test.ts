import test from 'ava'
import pg from 'pg'
import { ACCEPTED, type Outcome, type Rival } from '../../../proof/bench/arms/arm.js'
import { outcomeOfError } from '../../../proof/bench/arms/documents.js'
import { openTransactions as openMongoTransactions } from '../../../proof/bench/arms/transaction.js'
import { mongoBooks, openServer, postgresBooks, type Books } from '../../../proof/bench/books.js'
import { runAll } from '../../../proof/bench/load.js'
import { openBatches, takeBatch } from '../../../proof/bench/postgres/batches.js'
import { auditPostgres, createSchema } from '../../../proof/bench/postgres/schema.js'
import { startPostgres, type PostgresServer } from '../../../proof/bench/postgres/server.js'
import { openTransactions } from '../../../proof/bench/postgres/transaction.js'
import { migrate } from '../../../proof/bench/stage.js'
import { long } from '../../../platform/database/long.js'
import { requestFor, requestsOf, userIdOf, type BookingRequest } from '../../../proof/bench/workload.js'

/** A rival's way to book, and the books that it writes. */
interface Tried {
  book(request: BookingRequest): Promise<Outcome>
  books: Books
}

let postgres: PostgresServer
let db: pg.Pool

test.before(async () => {
  postgres = await startPostgres()
  db = new pg.Pool({ connectionString: postgres.uri, max: 1 })
  await createSchema(db)
})

test.after.always(async () => {
  await db?.end()
  await postgres?.stop()
})

const tried = ({ book }: Pick<Rival, 'book'>, books: Books): Tried => ({
  books,
  book: (request) => book(request).then(() => ACCEPTED, outcomeOfError),
})

/** Many at once; the same period of one car for all; one who can't pay; the same booking twice. */
async function bookTinily({ book, books }: Tried, ruin: () => Promise<unknown>) {
  await books.refill()
  const source = requestsOf('uniform', 1)
  const requests = Array.from({ length: 100 }, () => source.next() as BookingRequest)
  const outcomes: Outcome[] = []
  await runAll(requests, 50, async (request) => outcomes.push(await book(request)))
  const contested = await Promise.all(Array.from({ length: 10 }, (_, user) => book(requestFor(user, 7, 0))))
  const overlapping = await book({ ...requestFor(30, 7, 0), from: new Date(0), to: new Date('2040-01-01') })
  const again = await book(requests[0] as BookingRequest)
  await ruin()
  const poor = await book(requestFor(50, 8, 0))
  const kinds = (all: Outcome[]): Record<string, number> =>
    all.reduce<Record<string, number>>((sum, { result }) => ({ ...sum, [result]: (sum[result] ?? 0) + 1 }), {})
  return { many: kinds(outcomes), contested: kinds(contested), rest: [overlapping, again, poor] }
}

const ON_POSTGRES = { 'a transaction': openTransactions, 'batches of bookings': openBatches }
for (const [name, open] of Object.entries(ON_POSTGRES)) {
  test.serial(
    `PostgreSQL by ${name}: no period of a car twice, no balance below zero, and the audit agrees`,
    async (t) => {
      const books = postgresBooks(db, postgres)
      const rival = open(postgres.uri)
      t.teardown(() => rival.close())
      const ruin = () => db.query('UPDATE users SET balance = 0 WHERE id = $1', [userIdOf(50).toHexString()])
      const { many, contested, rest } = await bookTinily(tried(rival, books), ruin)
      t.deepEqual(many, { accepted: 100 })
      t.deepEqual(contested, { accepted: 1, refused: 9 })
      t.deepEqual(
        rest.map((outcome) => (outcome.result === 'accepted' ? 'accepted' : `${outcome.result}: ${outcome.why}`)),
        [
          'refused: car unavailable',
          `refused: ${name === 'a transaction' ? 'booking id reused' : 'car unavailable'}`,
          'refused: insufficient funds',
        ],
      )
      // Whoever was ruined is all that is wrong.
      const wrong = await books.audit({ acknowledged: 101, unknown: 0 })
      t.is(wrong.length, 2, wrong.join('\n'))
      await db.query(
        'UPDATE users SET balance = $2 + (SELECT coalesce(sum(change), 0) FROM ledger WHERE user_id = $1) WHERE id = $1',
        [userIdOf(50).toHexString(), 1_000_000_000_000],
      )
      t.deepEqual(await books.audit({ acknowledged: 101, unknown: 0 }), [])
    },
  )
}

test.serial('the audit of PostgreSQL sees each way in which books can be wrong', async (t) => {
  const books = postgresBooks(db, postgres)
  const { book, close } = openTransactions(postgres.uri)
  t.teardown(close)
  await books.refill()
  await book(requestFor(1, 1, 0))
  await book(requestFor(2, 1, 1))
  const run = { acknowledged: 2, unknown: 0 }
  t.deepEqual(await books.audit(run), [])
  t.deepEqual(await books.audit({ acknowledged: 1, unknown: 1 }), [])
  t.regex(String(await books.audit({ acknowledged: 3, unknown: 0 })), /3 acknowledged, 0 unknown, 2 committed/)

  const user = userIdOf(1).toHexString()
  const spoil = async (sql: string, expected: RegExp) => {
    const client = await db.connect()
    try {
      await client.query('BEGIN')
      await client.query(sql)
      t.regex((await auditPostgres(client, run)).join('\n'), expected)
      await client.query('ROLLBACK')
    } finally {
      client.release()
    }
  }
  await spoil(`UPDATE users SET balance = balance + 1 WHERE id = '${user}'`, /not what the bookings leave, 1 times/)
  await spoil(`UPDATE ledger SET change = change + 1 WHERE user_id = '${user}'`, /not what the ledger says, 1 times/)
  await spoil(`DELETE FROM ledger WHERE user_id = '${user}'`, /not one ledger entry of its cost, 1 times/)
  await spoil(
    `UPDATE ledger SET booking_id = 'none' WHERE user_id = '${user}'`,
    /a ledger entry has no booking, 1 times/,
  )
  await spoil(
    `ALTER TABLE bookings DROP CONSTRAINT car_is_free;
     UPDATE bookings SET period = tstzrange(lower(period), upper(period) + interval '1 minute')`,
    /a car is held twice, 1 times/,
  )
})

test.serial('MongoDB by a transaction: the same, and its audit sees a cent too much', async (t) => {
  const { server, client, close } = await openServer(1)
  t.teardown(close)
  await migrate(server.uri('bench'))
  const mongo = client.db('bench')
  const books = mongoBooks(mongo, server)
  const rival = await openMongoTransactions(server.uri('bench'))
  t.teardown(() => rival.close())
  const users = mongo.collection('users')
  const ruin = () => users.updateOne({ _id: userIdOf(50) }, { $set: { balance: long(0) } })
  const { many, contested, rest } = await bookTinily(tried(rival, books), ruin)
  t.deepEqual(many, { accepted: 100 })
  t.deepEqual(contested, { accepted: 1, refused: 9 })
  t.is(rest.filter(({ result }) => result === 'accepted').length, 0)
  t.is((await books.audit({ acknowledged: 101, unknown: 0 })).length, 1)
  t.regex(String(await books.audit({ acknowledged: 102, unknown: 0 })), /102 acknowledged/)
})

test('a batch has a user once, and the others stay in line in their order', (t) => {
  const waiting = [1, 2, 1, 3, 2].map((user, n) => ({ request: requestFor(user, n, 0), n }))
  t.deepEqual(
    takeBatch(waiting).map(({ n }) => n),
    [0, 1, 3],
  )
  t.deepEqual(
    waiting.map(({ n }) => n),
    [2, 4],
  )
})

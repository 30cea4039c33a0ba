import pg from 'pg'
import type { Rival } from '../arms/arm.js'
import { Refused } from '../arms/documents.js'
import type { BookingRequest } from '../workload.js'

/** What is fastest on two cores, at 64 in flight: each connection is a process, and more of them only take turns. */
const CONNECTIONS = 8

const NAMED = {
  pay: {
    name: 'pay',
    text: 'UPDATE users SET balance = balance - $2, updated_at = now() WHERE id = $1 AND balance >= $2',
  },
  book: {
    name: 'book',
    text: `INSERT INTO bookings (id, user_id, car_id, period, cost)
      SELECT $1, $2, id, tstzrange($4, $5), $6 FROM cars WHERE id = $3 AND NOT retired`,
  },
  enter: { name: 'enter', text: 'INSERT INTO ledger (user_id, booking_id, change) VALUES ($1, $2, $3)' },
}

/** Arm 7: what a user would write on PostgreSQL. The car's constraint comes after the balance, as in arm 5. */
export function openTransactions(uri: string): Rival {
  const pool = new pg.Pool({ connectionString: uri, max: CONNECTIONS, idleTimeoutMillis: 0 })
  return { book: (request) => inTransaction(pool, (client) => book(client, request)), close: () => pool.end() }
}

async function inTransaction(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<void>): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    await work(client)
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK')
    throw refusalOf(error) ?? error
  } finally {
    client.release()
  }
}

async function book(client: pg.PoolClient, request: BookingRequest): Promise<void> {
  const { from, to, cost } = request
  const [id, userId, carId] = [request.bookingId, request.userId, request.carId].map((each) => each.toHexString())
  const paid = await client.query({ ...NAMED.pay, values: [userId, cost] })
  if (paid.rowCount === 0) throw new Refused('insufficient funds')
  const booked = await client.query({ ...NAMED.book, values: [id, userId, carId, from, to, cost] })
  if (booked.rowCount === 0) throw new Refused('car unavailable')
  await client.query({ ...NAMED.enter, values: [userId, id, -cost] })
}

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const REFUSALS: Record<string, string> = { '23P01': 'car unavailable', '23505': 'booking id reused' }

/** undefined: not a broken rule, but an error. */
function refusalOf(error: unknown): Refused | undefined {
  const reason = error instanceof pg.DatabaseError ? REFUSALS[error.code ?? ''] : undefined
  return reason === undefined ? undefined : new Refused(reason)
}

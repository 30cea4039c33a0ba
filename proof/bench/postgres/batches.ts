import pg from 'pg'
import type { Rival } from '../arms/arm.js'
import { Refused } from '../arms/documents.js'
import type { BookingRequest } from '../workload.js'

/** At most so many statements at a time, of so many bookings each: what is fastest on two cores. */
const AT_A_TIME = 2
const LARGEST = 256

/**
 * All bookings of a batch by one statement, thus one transaction and one flush. Each either has all of its effects or
 * none: the user's row is locked while it has the funds, then the car's constraint decides, then it is paid and entered.
 * Rows are locked in the order of users, so that two batches never wait for each other.
 */
const BOOK_ALL = {
  name: 'book all',
  text: `
    WITH asked AS (
      SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::bigint[])
        AS r (id, user_id, car_id, from_at, to_at, cost)
    ), funded AS MATERIALIZED (
      SELECT asked.* FROM asked JOIN users ON users.id = user_id
      WHERE balance >= cost ORDER BY users.id FOR UPDATE OF users
    ), booked AS (
      INSERT INTO bookings (id, user_id, car_id, period, cost)
      SELECT funded.id, user_id, car_id, tstzrange(from_at, to_at), cost
      FROM funded JOIN cars ON cars.id = car_id AND NOT retired
      ON CONFLICT DO NOTHING
      RETURNING id, user_id, cost
    ), paid AS (
      UPDATE users SET balance = balance - cost, updated_at = now() FROM booked WHERE users.id = booked.user_id
    ), entered AS (
      INSERT INTO ledger (user_id, booking_id, change) SELECT user_id, id, -cost FROM booked
    )
    SELECT funded.id, booked.id IS NOT NULL AS booked FROM funded LEFT JOIN booked USING (id)`,
}

interface Waiting {
  request: BookingRequest
  resolve(): void
  reject(error: unknown): void
}

/** Arm 8: what waits while a statement is under way goes into the next one together. */
export function openBatches(uri: string): Rival {
  const pool = new pg.Pool({ connectionString: uri, max: AT_A_TIME, idleTimeoutMillis: 0 })
  const waiting: Waiting[] = []
  let underWay = 0

  function start(): void {
    while (underWay < AT_A_TIME && waiting.length > 0) {
      underWay++
      void bookAll(pool, takeBatch(waiting)).finally(() => {
        underWay--
        start()
      })
    }
  }

  return {
    book: (request) =>
      new Promise((resolve, reject) => {
        waiting.push({ request, resolve, reject })
        // What arrives within one turn of the loop goes together.
        if (waiting.length === 1) setImmediate(start)
      }),
    close: () => pool.end(),
  }
}

/** A user once: the balance that the statement looks at is that from before it. The others stay in line. */
export function takeBatch<W extends { request: BookingRequest }>(waiting: W[]): W[] {
  const users = new Set<string>()
  const later: W[] = []
  const batch = waiting.filter((each) => {
    const user = each.request.userId.toHexString()
    const taken = users.size < LARGEST && !users.has(user)
    if (taken) users.add(user)
    else later.push(each)
    return taken
  })
  waiting.splice(0, waiting.length, ...later)
  return batch
}

/** Where the statement fails, each is tried alone, so that one can't fail the others. */
async function bookAll(pool: pg.Pool, batch: Waiting[]): Promise<void> {
  const column = <T>(of: (request: BookingRequest) => T): T[] => batch.map(({ request }) => of(request))
  try {
    const { rows } = await pool.query<{ id: string; booked: boolean }>({
      ...BOOK_ALL,
      values: [
        column(({ bookingId }) => bookingId.toHexString()),
        column(({ userId }) => userId.toHexString()),
        column(({ carId }) => carId.toHexString()),
        column(({ from }) => from),
        column(({ to }) => to),
        column(({ cost }) => cost),
      ],
    })
    const outcomes = new Map(rows.map(({ id, booked }) => [id, booked]))
    for (const { request, resolve, reject } of batch) {
      const booked = outcomes.get(request.bookingId.toHexString())
      if (booked) resolve()
      else reject(new Refused(booked === undefined ? 'insufficient funds' : 'car unavailable'))
    }
  } catch (error) {
    if (batch.length === 1) batch[0]?.reject(error)
    else for (const each of batch) await bookAll(pool, [each])
  }
}

import type pg from 'pg'
import { BALANCE, CARS, carIdOf, USERS, userIdOf } from '../workload.js'

/**
 * The rules of a booking as constraints, and the indexes that its lists need. No car has two bookings whose periods
 * overlap, no balance is negative. No foreign keys: they would be half of the work, and the statements look at users
 * and cars anyway.
 */
const SCHEMA = `
  CREATE EXTENSION btree_gist;
  CREATE TABLE users (
    id text PRIMARY KEY,
    balance bigint NOT NULL CHECK (balance >= 0),
    updated_at timestamptz NOT NULL DEFAULT now()
  ) WITH (fillfactor = 50);
  CREATE TABLE cars (
    id text PRIMARY KEY,
    price_per_hour bigint NOT NULL,
    retired boolean NOT NULL DEFAULT false
  );
  CREATE TABLE bookings (
    id text PRIMARY KEY,
    user_id text NOT NULL,
    car_id text NOT NULL,
    period tstzrange NOT NULL,
    cost bigint NOT NULL,
    state text NOT NULL DEFAULT 'COMMITTED',
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT car_is_free EXCLUDE USING gist (car_id WITH =, period WITH &&) WHERE (state = 'COMMITTED')
  );
  CREATE INDEX ON bookings (user_id, created_at);
  CREATE TABLE ledger (
    user_id text NOT NULL,
    booking_id text NOT NULL,
    change bigint NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (booking_id, user_id)
  );
  CREATE INDEX ON ledger (user_id, at);`

export const createSchema = (db: pg.Pool): Promise<unknown> => db.query(SCHEMA)

const hex = (id: { toHexString(): string }): string => id.toHexString()

/** Empties the tables and fills in the users and cars of the workloads. */
export async function refillPostgres(db: pg.Pool): Promise<void> {
  const users = Array.from({ length: USERS }, (_, n) => hex(userIdOf(n)))
  const cars = Array.from({ length: CARS }, (_, n) => hex(carIdOf(n)))
  await db.query('TRUNCATE users, cars, bookings, ledger')
  await db.query('INSERT INTO users (id, balance) SELECT unnest($1::text[]), $2', [users, BALANCE])
  await db.query('INSERT INTO cars (id, price_per_hour) SELECT unnest($1::text[]), 1000', [cars])
  await db.query('VACUUM ANALYZE users, cars, bookings, ledger')
}

/** By plain arithmetic: what of each kind must not be there. None of it leans on the constraints. */
const WRONG = {
  'a user has not what the bookings leave': `
    SELECT users.id FROM users LEFT JOIN bookings ON user_id = users.id
    GROUP BY users.id, balance HAVING balance <> $1 - coalesce(sum(cost), 0)`,
  'a user has not what the ledger says': `
    SELECT users.id FROM users LEFT JOIN ledger ON user_id = users.id
    GROUP BY users.id, balance HAVING balance <> $1 + coalesce(sum(change), 0)`,
  'a booking has not one ledger entry of its cost': `
    SELECT bookings.id FROM bookings
    LEFT JOIN ledger ON booking_id = bookings.id AND ledger.user_id = bookings.user_id AND change = -cost
    WHERE $1::bigint IS NOT NULL GROUP BY bookings.id HAVING count(booking_id) <> 1`,
  'a ledger entry has no booking': `
    SELECT booking_id FROM ledger LEFT JOIN bookings ON bookings.id = booking_id
    WHERE $1::bigint IS NOT NULL AND bookings.id IS NULL`,
  'a car is held twice': `
    SELECT car_id FROM (
      SELECT car_id, lower(period) AS start, max(upper(period)) OVER (
        PARTITION BY car_id ORDER BY lower(period), id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
      ) AS busy_until FROM bookings
    ) AS held WHERE $1::bigint IS NOT NULL AND start < busy_until`,
}

/** What is wrong with the books of a run; the counterpart of auditRun. */
export async function auditPostgres(
  db: Pick<pg.Pool, 'query'>,
  { acknowledged, unknown }: { acknowledged: number; unknown: number },
): Promise<string[]> {
  const anomalies: string[] = []
  const { rows } = await db.query<{ stored: string }>(
    "SELECT count(*) AS stored FROM bookings WHERE state = 'COMMITTED'",
  )
  const stored = Number(rows[0]?.stored)
  if (stored < acknowledged || stored > acknowledged + unknown) {
    anomalies.push(`${acknowledged} acknowledged, ${unknown} unknown, ${stored} committed`)
  }
  for (const [what, query] of Object.entries(WRONG)) {
    const found = await db.query({ text: query, values: [BALANCE], rowMode: 'array' })
    if (found.rows.length > 0) anomalies.push(`${what}, ${found.rows.length} times, e.g. ${String(found.rows[0])}`)
  }
  return anomalies
}

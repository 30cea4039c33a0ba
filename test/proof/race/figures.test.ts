import test from 'ava'
import { readFileSync } from 'node:fs'

const DOCS = new URL('../../../docs/', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, DOCS), 'utf8')

test('the figures of docs/lobbies.md are those of the report that it names', (t) => {
  const report = JSON.parse(read('race/trains-seed-1.json')) as {
    seed: number
    clients: number
    seats: number
    sold: number
    bookings: { started: number }
    kills: Record<string, number>
    fanOut: Record<string, { members: number; p50Ms: number; p99Ms: number }>
    violations: unknown[]
  }
  const page = read('lobbies.md').replace(/\s+/g, ' ')
  const count = (value: number): string => value.toLocaleString('en-US')
  const { seed, clients, seats, sold, bookings, kills, fanOut, violations } = report
  const killed = Object.values(kills).reduce((sum, each) => sum + each, 0)
  for (const sentence of [
    `\`--seed ${seed}\` ([the report](race/trains-seed-1.json)): ${count(clients)} clients, ${killed} processes killed, ${kills['gateway']} gateway workers and ${kills['redis']} times the Redis among them`,
    `${sold} of ${seats} seats sold, ${count(bookings.started)} bookings`,
    ...Object.values(fanOut).map(({ p50Ms, p99Ms }) => `| ${count(p50Ms)} ms | ${count(p99Ms)} ms |`),
  ])
    t.true(page.includes(sentence), sentence)
  t.deepEqual(violations, [])
})

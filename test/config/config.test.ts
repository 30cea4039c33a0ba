import test from 'ava'
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigError, loadConfig } from '../../config/index.js'

const SECRETS = {
  AUTH_SECRET: 'a secret of 32 characters or more',
  CLUSTER_SECRET: 'another one, of 32 characters too',
}
const production = { NODE_ENV: 'production', MONGODB_URI: 'mongodb://127.0.0.1/holdfast', ...SECRETS }

const refused: [what: string, env: Record<string, string>, message: RegExp][] = [
  [
    'stuck-after under its minimum',
    { RECOVERY_STUCK_AFTER_MS: '999' },
    /RECOVERY_STUCK_AFTER_MS=999 is under its minimum, 1000/,
  ],
  [
    'an interval under its minimum',
    { RECOVERY_INTERVAL_MS: '249' },
    /RECOVERY_INTERVAL_MS=249 is under its minimum, 250/,
  ],
  [
    'a booking that may take longer than until it counts as stuck',
    { RECOVERY_STUCK_AFTER_MS: '5000', MONEY_DEADLINE_MS: '5000' },
    /MONEY_DEADLINE_MS=5000 must be shorter than RECOVERY_STUCK_AFTER_MS=5000/,
  ],
  ['a booking without time', { MONEY_DEADLINE_MS: '299' }, /MONEY_DEADLINE_MS=299 is under its minimum/],
  ['a port that is none', { GATEWAY_PORT: '99999' }, /GATEWAY_PORT/],
  ['a URI that is none', { MONGODB_URI: 'localhost' }, /MONGODB_URI/],
  ['a placement that is none', { PLACEMENT: 'users=none' }, /PLACEMENT/],
  ['a log level that is none', { LOG_LEVEL: 'loud' }, /LOG_LEVEL/],
  ['development beyond loopback', { GATEWAY_HOST: '0.0.0.0' }, /GATEWAY_HOST=0\.0\.0\.0 is not a loopback address/],
  ['Redis discovery without a Redis', { DISCOVERY: 'redis' }, /DISCOVERY_REDIS_URL/],
  ['production without AUTH_SECRET', { ...production, AUTH_SECRET: '' }, /AUTH_SECRET is not set/],
  ['production without CLUSTER_SECRET', { ...production, CLUSTER_SECRET: '' }, /CLUSTER_SECRET is not set/],
  ['production with a short secret', { ...production, AUTH_SECRET: 'short' }, /AUTH_SECRET is too short/],
  ['production without MongoDB', { ...production, MONGODB_URI: '' }, /MONGODB_URI is not set/],
]

for (const [what, env, message] of refused) {
  test(`refused: ${what}`, (t) => {
    t.throws(() => loadConfig({ ...SECRETS, ...env }), { instanceOf: ConfigError, message })
  })
}

test('every stuck-after from 1000 ms up boots, and bookings give up before they count as stuck', (t) => {
  for (const stuckAfterMs of [1000, 1001, 5000, 30_000, 300_000, 86_400_000]) {
    const { deadlinesMs, recovery, drainMs } = loadConfig({ ...SECRETS, RECOVERY_STUCK_AFTER_MS: String(stuckAfterMs) })
    t.is(recovery.stuckAfterMs, stuckAfterMs)
    t.true(deadlinesMs.step < deadlinesMs.money)
    t.true(deadlinesMs.money < stuckAfterMs)
    t.true(deadlinesMs.money < drainMs)
  }
})

test('the lock of recovery is at most twice the interval, and at least five seconds', (t) => {
  t.is(loadConfig({ ...SECRETS, RECOVERY_INTERVAL_MS: '250' }).recovery.lockMs, 5000)
  t.is(loadConfig({ ...SECRETS, RECOVERY_INTERVAL_MS: '30000' }).recovery.lockMs, 60_000)
})

test("development's secrets are made once, and nobody else may read them", (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'holdfast-config-'))
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }))
  const first = loadConfig({ DATA_DIR: dataDir })
  const second = loadConfig({ DATA_DIR: dataDir })
  t.is(first.authSecret, second.authSecret)
  t.not(first.authSecret, first.clusterSecret)
  const file = join(dataDir, 'secrets.json')
  t.true(existsSync(file))
  t.is(statSync(file).mode & 0o777, 0o600)
})

test('each domain may have a MongoDB of its own', (t) => {
  const config = loadConfig({ ...production, MONGODB_URI_USERS: 'mongodb://127.0.0.2/people' })
  t.is(config.mongodbUri('users'), 'mongodb://127.0.0.2/people')
  t.is(config.mongodbUri('bookings'), 'mongodb://127.0.0.1/holdfast')
})

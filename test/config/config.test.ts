import test from 'ava'
import fc from 'fast-check'
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigError, databaseName, loadConfig, placeOf, SETTINGS } from '../../config/index.js'
import { readSetting } from '../../config/settings.js'

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
  [
    'a quota of nothing',
    { DAILY_QUOTAS: 'tickets=5,letters=1' },
    /DAILY_QUOTAS=.* must list name=number .* "letters=1"/,
  ],
  ['a log level that is none', { LOG_LEVEL: 'loud' }, /LOG_LEVEL/],
  ['development beyond loopback', { GATEWAY_HOST: '0.0.0.0' }, /GATEWAY_HOST=0\.0\.0\.0 is not a loopback address/],
  ['Redis discovery without a Redis', { DISCOVERY: 'redis' }, /DISCOVERY_REDIS_URL/],
  ['production without AUTH_SECRET', { ...production, AUTH_SECRET: '' }, /AUTH_SECRET is not set/],
  ['production without CLUSTER_SECRET', { ...production, CLUSTER_SECRET: '' }, /CLUSTER_SECRET is not set/],
  ['production with a short secret', { ...production, AUTH_SECRET: 'short' }, /AUTH_SECRET is too short/],
  ['half a request', { RATE_LIMIT_PER_SECOND: '0.5' }, /RATE_LIMIT_PER_SECOND=0\.5 is no whole number/],
  ['a number in the way of science', { RATE_LIMIT_PER_SECOND: '1e3' }, /RATE_LIMIT_PER_SECOND=1e3 is no whole number/],
  ['a port with something behind it', { GATEWAY_PORT: '8080abc' }, /GATEWAY_PORT=8080abc is no whole number/],
  ['a number that is blank', { TOKEN_TTL_MS: ' ' }, /TOKEN_TTL_MS=  is blank/],
  ['a time that no timer can wait for', { MONEY_DEADLINE_MS: '3000000000' }, /=3000000000 is over its maximum, 600000/],
  ['two equal ports', { GATEWAY_PORT: '8081' }, /GATEWAY_PORT and JOBS_PORT are both 8081/],
  [
    'the database of a domain that is none',
    { MONGODB_URI_BOOKING: 'mongodb://127.0.0.1/x' },
    /MONGODB_URI_BOOKING is of no domain: did you mean MONGODB_URI_BOOKINGS\?/,
  ],
  ['a pattern of origins', { ALLOWED_ORIGINS: '*' }, /ALLOWED_ORIGINS=\* must list each page's origin/],
  ['an origin with a path', { ALLOWED_ORIGINS: 'https://a.example/app' }, /ALLOWED_ORIGINS/],
  ['a Redis that is none', { REDIS_URL: 'localhost:6379' }, /REDIS_URL must list redis:\/\//],
  ['an app placed twice', { PLACEMENT: 'users=1,users=2' }, /must name "users" once/],
  ['a short second secret', { AUTH_SECRET_ALSO: 'short' }, /AUTH_SECRET_ALSO is too short/],
  ['a quoted URI', { MONGODB_URI: '"mongodb://me:hunter2@h/x"' }, /^MONGODB_URI is in quotation marks/],
  [
    'a URI of two names',
    { MONGODB_URI: 'mongodb://me:hunter2@rest@h/x' },
    /^MONGODB_URI is no URI that the MongoDB driver/,
  ],
  [
    'a database that none may be called',
    { MONGODB_URI: 'mongodb://h/a%2Fb' },
    /names a database as MongoDB allows none/,
  ],
  ...[
    'readPreference=secondaryPreferred',
    'w=1',
    'journal=false',
    'readConcernLevel=local',
    'wtimeoutMS=1',
    'TIMEOUTMS=9',
  ].map((option): [string, Record<string, string>, RegExp] => [
    `a URI that asks for ${option}`,
    { MONGODB_URI_USERS: `mongodb://me:hunter2@h/x?${option}` },
    new RegExp(`^MONGODB_URI_USERS has the option ${option}`),
  ]),
  ['production without MongoDB', { ...production, MONGODB_URI: '' }, /MONGODB_URI is not set/],
]

for (const [what, env, message] of refused) {
  test(`refused: ${what}`, (t) => {
    const error = t.throws(() => loadConfig({ ...SECRETS, ...env }), { instanceOf: ConfigError, message })
    t.notRegex(error.message, /hunter2/)
  })
}

const settings = Object.values(SETTINGS)

test('every setting is read whole or refused by its name, and what is secret is never told', (t) => {
  for (const { env: name, secret, fallback } of settings) {
    const property = fc.property(fc.string({ minLength: 1, maxLength: 40, unit: 'binary' }), (value) => {
      const config = attempt({ ...SECRETS, ...(name === 'NODE_ENV' && production), [name]: value })
      if (config instanceof Error) {
        t.true(config instanceof ConfigError, String(config))
        t.true(config.message.includes(name), config.message)
        if (secret && value.length > 8) t.false(config.message.includes(value))
      } else if (/^\d+$/.test(fallback)) {
        t.regex(value, /^\d+$/, `${name} took ${value}`)
      }
    })
    fc.assert(property, { numRuns: 40 })
  }
})

test('a number that is not whole, or has anything around it, is no setting', (t) => {
  const property = fc.property(
    fc.constantFrom(...settings.filter(({ fallback }) => /^\d+$/.test(fallback))),
    fc.constantFrom(
      '1e3',
      '0x10',
      '1_000',
      '+5',
      '-1',
      '1.0',
      '1,000',
      '٣',
      '007',
      'NaN',
      'Infinity',
      '1 000',
      '5s',
      '1n',
    ),
    ({ env: name }, value) => {
      t.throws(() => loadConfig({ ...SECRETS, [name]: value }), { instanceOf: ConfigError, message: new RegExp(name) })
    },
  )
  fc.assert(property, { numRuns: 300 })
})

test("every setting's default is one that it takes, and an empty variable is one that is not set", (t) => {
  for (const each of settings) t.notThrows(() => void readSetting<unknown>(each, each.fallback), each.env)
  const empty: Record<string, string> = {}
  for (const each of settings) empty[each.env] = ''
  const shown = (config: object): string => JSON.stringify({ ...config, environment: undefined })
  t.is(shown(loadConfig({ ...empty, ...SECRETS })), shown(loadConfig(SECRETS)))
})

function attempt(env: Record<string, string>) {
  const dataDir = mkdtempSync(join(tmpdir(), 'holdfast-config-'))
  try {
    return loadConfig({ DATA_DIR: dataDir, ...env })
  } catch (error) {
    return error as Error
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
}

test('a name that is nearly a setting is told', (t) => {
  const { warnings } = loadConfig({ ...SECRETS, GATEWAY_POTR: '9000', REDIS_URI: 'redis://h', HOME: '/', LANG: 'C' })
  t.deepEqual(warnings, [
    'GATEWAY_POTR is no setting: did you mean GATEWAY_PORT?',
    'REDIS_URI is no setting: did you mean REDIS_URL?',
  ])
})

test("the database is the one that the driver's own parser finds, and a place never shows who goes there", (t) => {
  for (const [uri, database, place] of [
    ['mongodb://h/odd%23name', 'odd#name', 'h/odd#name'],
    ['mongodb://host?tlsCAFile=/etc/ssl/ca.pem', 'holdfast', 'host/holdfast'],
    ['mongodb://me:hunter2@a:1,b:2/money?replicaSet=r', 'money', 'a:1,b:2/money'],
    ['mongodb+srv://me:hunter2@c.example.net/?retryWrites=true&w=majority', 'holdfast', 'c.example.net/holdfast'],
  ] as const) {
    t.is(databaseName(uri), database)
    t.is(placeOf(loadConfig({ ...SECRETS, MONGODB_URI: uri }).mongodbUri('users')), place)
  }
})

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

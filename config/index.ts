import convict from 'convict'
import { randomBytes } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs'
import { isIP } from 'node:net'
import { homedir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'

/**
 * The one place where the environment is read. `loadConfig` validates every setting and the relations between them
 * once, at boot, and refuses to start with a sentence that names what is wrong.
 */

const MONGODB_URI = /^mongodb(\+srv)?:\/\//
const MINIMUM_SECRET_CHARS = 32

convict.addFormat({
  name: 'mongodb-uri',
  validate: (value: unknown) => {
    if (value !== '' && !(typeof value === 'string' && MONGODB_URI.test(value)))
      throw new Error('must be a mongodb:// URI')
  },
})
convict.addFormat({
  name: 'http-url',
  validate: (value: unknown) => {
    if (typeof value !== 'string' || !/^https?:\/\/[^/]+$/.test(value) || !URL.canParse(value))
      throw new Error('must be an http:// or https:// address without a path')
  },
})
convict.addFormat({
  name: 'currency',
  validate: (value: unknown) => {
    if (typeof value !== 'string' || !/^[a-z]{3}$/.test(value)) throw new Error('must be three lower-case letters')
  },
})
convict.addFormat({
  name: 'address',
  validate: (value: unknown) => {
    if (typeof value !== 'string' || (value !== '' && !isIP(value))) throw new Error('must be an IP address')
  },
})
convict.addFormat({
  name: 'web-url',
  validate: (value: unknown) => {
    if (value !== '' && !(typeof value === 'string' && /^https?:\/\//.test(value) && URL.canParse(value)))
      throw new Error('must be an http:// or https:// address')
  },
})
convict.addFormat({
  name: 'millis',
  coerce: Number,
  validate: (value: unknown) => {
    if (!Number.isSafeInteger(value) || (value as number) < 0) throw new Error('must be a whole number of milliseconds')
  },
})

const schema = {
  env: {
    doc: 'development (default): loopback only, secrets made by itself',
    format: String,
    default: 'development',
    env: 'NODE_ENV',
  },
  mongodbUri: {
    doc: 'MongoDB for every domain; empty: the embedded one',
    format: 'mongodb-uri',
    default: '',
    env: 'MONGODB_URI',
  },
  gatewayHost: { doc: 'Where the gateway listens', format: 'address', default: '127.0.0.1', env: 'GATEWAY_HOST' },
  gatewayPort: { doc: 'Where the gateway listens', format: 'port', default: 8080, env: 'GATEWAY_PORT' },
  allowedOrigins: {
    doc: 'Origins of web pages that may connect, comma-separated; empty: those of the gateway itself and of loopback',
    format: String,
    default: '',
    env: 'ALLOWED_ORIGINS',
  },
  authSecret: { doc: 'Signs tokens', format: String, default: '', env: 'AUTH_SECRET', sensitive: true },
  clusterSecret: {
    doc: 'Signs calls between functions',
    format: String,
    default: '',
    env: 'CLUSTER_SECRET',
    sensitive: true,
  },
  tokenTtlMs: { doc: 'How long a token lives', format: 'millis', default: 12 * 3_600_000, env: 'TOKEN_TTL_MS' },
  recoveryStuckAfterMs: {
    doc: 'A booking is stuck when it has not moved for so long',
    format: 'millis',
    default: 300_000,
    env: 'RECOVERY_STUCK_AFTER_MS',
  },
  recoveryIntervalMs: {
    doc: 'How often recovery runs',
    format: 'millis',
    default: 30_000,
    env: 'RECOVERY_INTERVAL_MS',
  },
  moneyDeadlineMs: {
    doc: 'How long a booking may take; 0: derived from stuck-after',
    format: 'millis',
    default: 0,
    env: 'MONEY_DEADLINE_MS',
  },
  orderExpiresAfterMs: {
    doc: 'How long an order holds its ticket unpaid',
    format: 'millis',
    default: 15 * 60_000,
    env: 'ORDER_EXPIRES_AFTER_MS',
  },
  trainCancelNoticeMs: {
    doc: 'Passengers cancel until so long before their train leaves',
    format: 'millis',
    default: 0,
    env: 'TRAIN_CANCEL_NOTICE_MS',
  },
  trainFreeCancelAfterMs: {
    doc: 'Passengers of a train that goes at a time that differs by more than this from what they booked cancel without that notice',
    format: 'millis',
    default: 30 * 60_000,
    env: 'TRAIN_FREE_CANCEL_AFTER_MS',
  },
  invitationCancelNoticeMs: {
    doc: 'Buyer and seller cancel a confirmed invitation until so long before it begins',
    format: 'millis',
    default: 3_600_000,
    env: 'INVITATION_CANCEL_NOTICE_MS',
  },
  stripeSecretKey: {
    doc: 'Takes payments by Stripe; empty: this system takes none',
    format: String,
    default: '',
    env: 'STRIPE_SECRET_KEY',
    sensitive: true,
  },
  stripeWebhookSecret: {
    doc: 'Signs the webhooks of Stripe',
    format: String,
    default: '',
    env: 'STRIPE_WEBHOOK_SECRET',
    sensitive: true,
  },
  stripeUrl: { doc: 'Where Stripe is', format: 'http-url', default: 'https://api.stripe.com', env: 'STRIPE_URL' },
  stripeCurrency: {
    doc: 'Three-letter code of what one minor unit is of, for Stripe',
    format: 'currency',
    default: 'eur',
    env: 'STRIPE_CURRENCY',
  },
  webhookHost: { doc: 'Where webhooks come in', format: 'address', default: '127.0.0.1', env: 'WEBHOOK_HOST' },
  webhookPort: { doc: 'Where webhooks come in', format: 'port', default: 8082, env: 'WEBHOOK_PORT' },
  rateLimitPerSecond: {
    doc: 'Requests per socket and second; 0 turns every limiter off',
    format: 'nat',
    default: 100,
    env: 'RATE_LIMIT_PER_SECOND',
  },
  callsPerUser: {
    doc: 'Calls of one user to one operation that run at once in a process; the others wait for their turn',
    format: 'nat',
    default: 8,
    env: 'CALLS_PER_USER',
  },
  jobsPort: { doc: 'agendash', format: 'port', default: 8081, env: 'JOBS_PORT' },
  functionsHost: {
    doc: 'Interface that function hosts bind to',
    format: 'address',
    default: '127.0.0.1',
    env: 'FUNCTIONS_HOST',
  },
  functionsAdvertise: {
    doc: 'Address that others reach them at; empty: functionsHost',
    format: 'address',
    default: '',
    env: 'FUNCTIONS_ADVERTISE',
  },
  discovery: {
    doc: 'How hosts find each other',
    format: ['broadcast', 'multicast', 'redis'],
    default: 'broadcast',
    env: 'DISCOVERY',
  },
  discoveryAddress: {
    doc: 'Broadcast or multicast address',
    format: 'address',
    default: '127.255.255.255',
    env: 'DISCOVERY_ADDRESS',
  },
  discoveryPort: {
    doc: 'UDP port of discovery; one per running system',
    format: 'port',
    default: 12345,
    env: 'DISCOVERY_PORT',
  },
  redisUrl: {
    doc: 'Redis that caches reads, from 6.2 up; several, comma-separated: nodes of a Redis Cluster; empty: memory of each process',
    format: String,
    default: '',
    env: 'REDIS_URL',
    sensitive: true,
  },
  discoveryRedisUrl: { doc: 'Redis for discovery', format: String, default: '', env: 'DISCOVERY_REDIS_URL' },
  placement: {
    doc: 'Instances by domain, of each other one (*), of one app for all others (functions), and operations in apps of their own: *=1,users=4,createBooking=3 or functions=2,gateway=1',
    format: String,
    default: '',
    env: 'PLACEMENT',
  },
  dataDir: {
    doc: 'Secrets of development and data of the embedded MongoDB',
    format: String,
    default: '.data',
    env: 'DATA_DIR',
  },
  pm2Home: {
    doc: 'Where PM2 keeps its daemon; empty: .pm2 in the home directory',
    format: String,
    default: '',
    env: 'PM2_HOME',
  },
  alertWebhookUrl: {
    doc: 'Where dead letters are POSTed to, so that a person hears of them; empty: nowhere',
    format: 'web-url',
    default: '',
    env: 'ALERT_WEBHOOK_URL',
    sensitive: true,
  },
  logFileMb: {
    doc: 'Megabytes beyond which a log file of PM2 is set aside, and one older is kept; 0: never',
    format: 'nat',
    default: 20,
    env: 'LOG_FILE_MB',
  },
  logLevel: {
    doc: 'pino level',
    format: ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
    default: 'info',
    env: 'LOG_LEVEL',
  },
} as const

/** Every setting, for the docs. */
export const SETTINGS = Object.values(schema).map(({ env, doc, default: fallback }) => ({
  env,
  doc,
  fallback: String(fallback),
}))

/** A setting that is wrong, or wrong together with another. The message names it and says what would be right. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

export interface Config {
  env: string
  development: boolean
  /** Empty when the embedded MongoDB is wanted and has not been started yet. */
  mongodbUri(domain: string): string
  /** No MONGODB_URI is set: `npm start` runs a mongod of our own. */
  embeddedMongo: boolean
  gateway: { host: string; port: number; allowedOrigins: string[] }
  authSecret: string
  clusterSecret: string
  tokenTtlMs: number
  recovery: { stuckAfterMs: number; intervalMs: number; lockMs: number }
  /**
   * How long callers wait, by the contract's kind of deadline. `write`: how long a step waits for its write, so that
   * who called it still hears what became of it.
   */
  deadlinesMs: { quick: number; money: number; step: number; write: number; sweep: number }
  /** How long a stopping process goes on with what is in flight. PM2's kill_timeout is longer. */
  drainMs: number
  /** How long an order holds its ticket unpaid. */
  orderExpiresAfterMs: number
  /** Buyer and seller cancel a confirmed invitation until so long before it begins. */
  invitationCancelNoticeMs: number
  /** Passengers cancel until `cancelNoticeMs` before the train leaves; where it moved by more than the other, until then. */
  trains: { cancelNoticeMs: number; freeCancelAfterMs: number }
  /** secretKey empty: there are no payments by Stripe. webhookSecret empty: no webhooks of it are taken. */
  stripe: { secretKey: string; webhookSecret: string; url: string; currency: string }
  webhooks: { host: string; port: number }
  rateLimitPerSecond: number
  /** 0: not bounded, as where rateLimitPerSecond is 0. */
  callsPerUser: number
  jobsPort: number
  functions: { host: string; advertise: string }
  discovery: { mode: 'broadcast' | 'multicast' | 'redis'; address: string; port: number; redisUrl: string }
  /** redisUrls: one server, or nodes of a cluster; none: each process caches for itself. */
  cache: { redisUrls: string[] }
  /** Instances by domain or operation name, as set; `*`: of the domains, and the gateway, that are not named. */
  placement: Record<string, number>
  dataDir: string
  pm2Home: string
  /** Empty: nobody outside is told of dead letters. */
  alertWebhookUrl: string
  /** Of one log file, beyond which it is set aside; 0: never. */
  logFileBytes: number
  logLevel: string
}

export function loadConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const raw = convict(schema as never, { env: withoutEmpty(env), args: [] })
  try {
    raw.validate({ allowed: 'strict' })
  } catch (error) {
    throw new ConfigError(`Bad setting: ${explain((error as Error).message)}`, { cause: error })
  }
  const s = raw.getProperties() as Record<string, never> & RawSettings
  const development = s.env === 'development' || s.env === 'test'
  const dataDir = resolve(s.dataDir)
  const secrets = development ? developmentSecrets(dataDir, s) : s
  for (const [name, value] of [
    ['AUTH_SECRET', secrets.authSecret],
    ['CLUSTER_SECRET', secrets.clusterSecret],
  ] as const) {
    if (!value)
      throw new ConfigError(
        `${name} is not set: outside development it must be, with at least ${MINIMUM_SECRET_CHARS} characters`,
      )
    if (value.length < MINIMUM_SECRET_CHARS)
      throw new ConfigError(`${name} is too short: it needs at least ${MINIMUM_SECRET_CHARS} characters`)
  }
  const functions = { host: s.functionsHost, advertise: s.functionsAdvertise || s.functionsHost }
  if (development) {
    for (const [name, address] of [
      ['GATEWAY_HOST', s.gatewayHost],
      ['WEBHOOK_HOST', s.webhookHost],
      ['FUNCTIONS_HOST', functions.host],
      ['FUNCTIONS_ADVERTISE', functions.advertise],
    ] as const) {
      if (!isLoopback(address))
        throw new ConfigError(`${name}=${address} is not a loopback address: set NODE_ENV=production to bind to others`)
    }
  } else if (!s.mongodbUri) {
    throw new ConfigError('MONGODB_URI is not set: the embedded MongoDB is for development alone')
  }
  if (s.discovery === 'redis' && !s.discoveryRedisUrl)
    throw new ConfigError('DISCOVERY=redis needs DISCOVERY_REDIS_URL')

  return Object.freeze({
    env: s.env,
    development,
    embeddedMongo: !s.mongodbUri,
    mongodbUri: (domain: string) => env[`MONGODB_URI_${domain.toUpperCase()}`] || s.mongodbUri || embeddedUri(dataDir),
    gateway: { host: s.gatewayHost, port: s.gatewayPort, allowedOrigins: split(s.allowedOrigins) },
    authSecret: secrets.authSecret,
    clusterSecret: secrets.clusterSecret,
    tokenTtlMs: s.tokenTtlMs,
    ...limits(s),
    orderExpiresAfterMs: orderExpiresAfterMs(s),
    invitationCancelNoticeMs: s.invitationCancelNoticeMs,
    trains: { cancelNoticeMs: s.trainCancelNoticeMs, freeCancelAfterMs: s.trainFreeCancelAfterMs },
    stripe: {
      secretKey: s.stripeSecretKey,
      webhookSecret: s.stripeWebhookSecret,
      url: s.stripeUrl,
      currency: s.stripeCurrency,
    },
    webhooks: { host: s.webhookHost, port: s.webhookPort },
    rateLimitPerSecond: s.rateLimitPerSecond,
    callsPerUser: s.rateLimitPerSecond === 0 ? 0 : s.callsPerUser,
    jobsPort: s.jobsPort,
    functions,
    discovery: { mode: s.discovery, address: s.discoveryAddress, port: s.discoveryPort, redisUrl: s.discoveryRedisUrl },
    cache: { redisUrls: redisUrls(s.redisUrl) },
    placement: parsePlacement(s.placement),
    dataDir,
    pm2Home: s.pm2Home || join(homedir(), '.pm2'),
    alertWebhookUrl: s.alertWebhookUrl,
    logFileBytes: s.logFileMb * 1_000_000,
    logLevel: s.logLevel,
  })
}

interface RawSettings {
  env: string
  mongodbUri: string
  gatewayHost: string
  gatewayPort: number
  allowedOrigins: string
  authSecret: string
  clusterSecret: string
  tokenTtlMs: number
  recoveryStuckAfterMs: number
  recoveryIntervalMs: number
  moneyDeadlineMs: number
  orderExpiresAfterMs: number
  trainCancelNoticeMs: number
  trainFreeCancelAfterMs: number
  invitationCancelNoticeMs: number
  stripeSecretKey: string
  stripeWebhookSecret: string
  stripeUrl: string
  stripeCurrency: string
  webhookHost: string
  webhookPort: number
  rateLimitPerSecond: number
  callsPerUser: number
  jobsPort: number
  functionsHost: string
  functionsAdvertise: string
  discovery: 'broadcast' | 'multicast' | 'redis'
  discoveryAddress: string
  discoveryPort: number
  discoveryRedisUrl: string
  redisUrl: string
  placement: string
  dataDir: string
  pm2Home: string
  alertWebhookUrl: string
  logFileMb: number
  logLevel: string
}

/**
 * The limits that hang together. Whoever runs the money path gives up well before recovery may call its booking stuck:
 * not for safety (epochs give that) but so that recovery never works against a living owner.
 */
function limits(s: RawSettings): Pick<Config, 'recovery' | 'deadlinesMs' | 'drainMs'> {
  const { recoveryStuckAfterMs: stuckAfterMs, recoveryIntervalMs: intervalMs } = s
  if (stuckAfterMs < 1000) throw new ConfigError(`RECOVERY_STUCK_AFTER_MS=${stuckAfterMs} is under its minimum, 1000`)
  if (intervalMs < 250) throw new ConfigError(`RECOVERY_INTERVAL_MS=${intervalMs} is under its minimum, 250`)
  const money = s.moneyDeadlineMs || Math.min(15_000, Math.floor(stuckAfterMs * 0.6))
  if (money >= stuckAfterMs) {
    throw new ConfigError(
      `MONEY_DEADLINE_MS=${money} must be shorter than RECOVERY_STUCK_AFTER_MS=${stuckAfterMs}: recovery would take over bookings from their living owners`,
    )
  }
  if (money < 300) throw new ConfigError(`MONEY_DEADLINE_MS=${money} is under its minimum, 300`)
  const step = Math.floor(money / 3)
  return {
    recovery: { stuckAfterMs, intervalMs, lockMs: Math.max(5000, 2 * intervalMs) },
    deadlinesMs: { quick: 5000, money, step, write: Math.floor((step * 2) / 3), sweep: 60_000 },
    drainMs: Math.max(money, 5000) + 1000,
  }
}

const ORDER_EXPIRY_MS = { least: 1000, most: 120 * 60_000 }

function orderExpiresAfterMs({ orderExpiresAfterMs: ms }: RawSettings): number {
  if (ms >= ORDER_EXPIRY_MS.least && ms <= ORDER_EXPIRY_MS.most) return ms
  const { least, most } = ORDER_EXPIRY_MS
  throw new ConfigError(`ORDER_EXPIRES_AFTER_MS=${ms} must be between ${least} and ${most}`)
}

function explain(message: string): string {
  return message.replace(/\b([a-z][A-Za-z]+): /g, (whole, key: string) => {
    const setting = (schema as Record<string, { env: string }>)[key]
    return setting ? `${setting.env}: ` : whole
  })
}

/** `FOO=` in a shell means "not set" to people. */
const withoutEmpty = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''))

const split = (list: string): string[] =>
  list
    .split(',')
    .map((entry) => entry.trim())
    .filter(Boolean)

function redisUrls(list: string): string[] {
  const urls = split(list)
  const bad = urls.find((each) => !/^rediss?:\/\//.test(each))
  if (bad !== undefined) throw new ConfigError('REDIS_URL: each address must be a redis:// or rediss:// URI')
  return urls
}

function parsePlacement(list: string): Record<string, number> {
  return Object.fromEntries(
    split(list).map((entry) => {
      const match = /^(\*|[A-Za-z]+)=([1-9]\d?)$/.exec(entry)
      if (!match) throw new ConfigError(`PLACEMENT: "${entry}" is not name=instances (1 to 99)`)
      return [match[1] as string, Number(match[2])]
    }),
  )
}

const isLoopback = (address: string): boolean => address === '::1' || address.startsWith('127.')

/** Where to look for the mongod of development and tests. Tests need it where no other setting is. */
export interface MongodSettings {
  /** The binary to use, whatever else there is; empty: look for one. */
  systemBinary: string
  /** The directories of PATH. */
  path: string[]
  /** Where a fetched binary is kept. */
  cacheDir: string
}

export const mongodSettings = (env: NodeJS.ProcessEnv = process.env): MongodSettings => ({
  systemBinary: env['MONGOMS_SYSTEM_BINARY'] ?? '',
  path: (env['PATH'] ?? '').split(delimiter).filter(Boolean),
  cacheDir: join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'holdfast'),
})

/** Where the embedded mongod listens, as `npm start` left it in DATA_DIR. */
export const embeddedUriFile = (dataDir: string): string => join(dataDir, 'mongod.uri')

function embeddedUri(dataDir: string): string {
  return readIfThere(embeddedUriFile(dataDir))?.trim() ?? ''
}

/** Made at random once and kept; what the environment sets wins. */
function developmentSecrets(dataDir: string, set: { authSecret: string; clusterSecret: string }) {
  if (set.authSecret && set.clusterSecret) return set
  const file = join(dataDir, 'secrets.json')
  if (!readIfThere(file)) {
    mkdirSync(dataDir, { recursive: true })
    const made = { authSecret: randomBytes(32).toString('hex'), clusterSecret: randomBytes(32).toString('hex') }
    try {
      // wx: of two starters one makes the file, the other reads it.
      const fd = openSync(file, 'wx', 0o600)
      writeSync(fd, JSON.stringify(made))
      closeSync(fd)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
  const kept = JSON.parse(readFileSync(file, 'utf8')) as { authSecret: string; clusterSecret: string }
  return { authSecret: set.authSecret || kept.authSecret, clusterSecret: set.clusterSecret || kept.clusterSecret }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

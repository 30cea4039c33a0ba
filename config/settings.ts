import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import convict from 'convict'
import type { z } from 'zod'
import {
  address,
  currency,
  mongodbUri,
  oneOf,
  origins,
  placement,
  port,
  redisUrl,
  redisUrls,
  smtpUrl,
  text,
  webOrigin,
  webUrl,
  wholeNumber,
  type SettingKind,
} from './kinds.js'
import { nearest } from './nearest.js'
import { DEFAULT_QUOTAS, quotas } from './quotas.js'

/** Whatever a timer waits for stays far below 2^31 ms: Node fires a longer one at once. */
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

interface Setting<T> extends SettingKind<T> {
  env: string
  doc: string
  /** As it would stand in the environment; empty: none. */
  fallback: string
  /** Never printed, neither in messages nor where settings are compared. */
  secret: boolean
}

const setting = <T>(env: string, kind: SettingKind<T>, fallback: string | number, doc: string): Setting<T> => ({
  ...kind,
  env,
  doc,
  fallback: String(fallback),
  secret: false,
})
const secret = <T>(env: string, kind: SettingKind<T>, doc: string): Setting<T> => ({
  ...setting(env, kind, '', doc),
  secret: true,
})

/** Every setting, once: its name, its kind and bounds, its default, and what the docs say of it. */
export const SETTINGS = {
  env: setting('NODE_ENV', text, 'development', 'development (default): loopback only, secrets made by itself'),
  mongodbUri: secret('MONGODB_URI', mongodbUri, 'MongoDB for every domain; empty: the embedded one'),
  gatewayHost: setting('GATEWAY_HOST', address, '127.0.0.1', 'Where the gateway listens'),
  gatewayPort: setting('GATEWAY_PORT', port, 8080, 'Where the gateway listens'),
  allowedOrigins: setting(
    'ALLOWED_ORIGINS',
    origins,
    '',
    'Origins of web pages that may connect, comma-separated; empty: those of the gateway itself and of loopback',
  ),
  authSecret: secret('AUTH_SECRET', text, 'Signs tokens, and accepts them; 32 characters or more'),
  authSecretAlso: secret(
    'AUTH_SECRET_ALSO',
    text,
    'Accepts tokens too, while AUTH_SECRET is replaced: first the new one here, then both in each other’s place, and this one empty after TOKEN_TTL_MS; `npm run reload` each time',
  ),
  clusterSecret: secret('CLUSTER_SECRET', text, 'Signs calls between functions; 32 characters or more'),
  sessionTokenTtlMs: setting(
    'SESSION_TOKEN_TTL_MS',
    wholeNumber(1000, DAY_MS),
    900_000,
    'How long a token lives that signing in, or its refresh token, gets',
  ),
  sessionTtlMs: setting(
    'SESSION_TTL_MS',
    wholeNumber(1000, 365 * DAY_MS),
    30 * DAY_MS,
    'A session that is not refreshed for so long has ended',
  ),
  tokenTtlMs: setting(
    'TOKEN_TTL_MS',
    wholeNumber(1000, 365 * DAY_MS),
    12 * HOUR_MS,
    'How long a token lives that nothing refreshes: of `npm run token`, and of agendash',
  ),
  recoveryStuckAfterMs: setting(
    'RECOVERY_STUCK_AFTER_MS',
    wholeNumber(1000, 7 * DAY_MS),
    300_000,
    'A booking is stuck when it has not moved for so long',
  ),
  recoveryIntervalMs: setting('RECOVERY_INTERVAL_MS', wholeNumber(250, HOUR_MS), 30_000, 'How often recovery runs'),
  moneyDeadlineMs: setting(
    'MONEY_DEADLINE_MS',
    wholeNumber(0, 600_000),
    0,
    'How long a booking may take, from 300; 0: derived from stuck-after',
  ),
  orderExpiresAfterMs: setting(
    'ORDER_EXPIRES_AFTER_MS',
    wholeNumber(1000, 2 * HOUR_MS),
    900_000,
    'How long an order holds its ticket unpaid',
  ),
  maxOpenOrders: setting('MAX_OPEN_ORDERS', wholeNumber(1, 1000), 10, 'How many unpaid orders a buyer has at most'),
  orderPauseMs: setting(
    'ORDER_PAUSE_MS',
    wholeNumber(0, HOUR_MS),
    60_000,
    'How long a ticket that a buyer let go, unpaid, is for others only',
  ),
  trainCancelNoticeMs: setting(
    'TRAIN_CANCEL_NOTICE_MS',
    wholeNumber(0, 365 * DAY_MS),
    0,
    'Passengers cancel until so long before their train leaves',
  ),
  trainFreeCancelAfterMs: setting(
    'TRAIN_FREE_CANCEL_AFTER_MS',
    wholeNumber(0, 365 * DAY_MS),
    1_800_000,
    'Passengers of a train that goes at a time that differs by more than this from what they booked cancel without that notice',
  ),
  invitationCancelNoticeMs: setting(
    'INVITATION_CANCEL_NOTICE_MS',
    wholeNumber(0, 365 * DAY_MS),
    HOUR_MS,
    'Buyer and seller cancel a confirmed invitation until so long before it begins',
  ),
  maxOpenInvitations: setting(
    'MAX_OPEN_INVITATIONS',
    wholeNumber(1, 1_000_000),
    10,
    'How many open invitations of one buyer a seller has at most',
  ),
  stripeSecretKey: secret('STRIPE_SECRET_KEY', text, 'Takes payments by Stripe; empty: this system takes none'),
  stripeWebhookSecret: secret('STRIPE_WEBHOOK_SECRET', text, 'Signs the webhooks of Stripe'),
  stripeUrl: setting('STRIPE_URL', webOrigin, 'https://api.stripe.com', 'Where Stripe is'),
  stripeCurrency: setting(
    'STRIPE_CURRENCY',
    currency,
    'eur',
    'Three-letter code of what one minor unit is of, for Stripe',
  ),
  webhookHost: setting('WEBHOOK_HOST', address, '127.0.0.1', 'Where webhooks come in'),
  webhookPort: setting('WEBHOOK_PORT', port, 8082, 'Where webhooks come in'),
  smtpUrl: secret(
    'SMTP_URL',
    smtpUrl,
    'Sends mails: smtps://user:password@host (TLS), or smtp:// with ?requireTLS=true; empty: development writes them to the log and to mails.txt in DATA_DIR, and nobody else has any',
  ),
  mailFrom: setting('MAIL_FROM', text, 'Holdfast <holdfast@localhost>', 'From whom mails are'),
  accountPageUrl: setting(
    'ACCOUNT_PAGE_URL',
    webUrl,
    '',
    'The page of yours that links in mails lead to, with #resetPassword=<token> or #confirmEmail=<token>; empty: mails show the token',
  ),
  rateLimitPerSecond: setting(
    'RATE_LIMIT_PER_SECOND',
    wholeNumber(0, 1_000_000),
    100,
    'Requests per socket and second; 0 turns every limiter off',
  ),
  firstYear: setting('FIRST_YEAR', wholeNumber(1, 9998), 1970, 'The first year that may be asked about or booked'),
  lastYear: setting('LAST_YEAR', wholeNumber(1, 9998), 2199, 'The last year that may be asked about or booked'),
  maxBookingDays: setting('MAX_BOOKING_DAYS', wholeNumber(1, 36_600), 366, 'How long a booking may be'),
  maxDocumentBytes: setting(
    'MAX_DOCUMENT_BYTES',
    wholeNumber(2000, 8_000_000),
    1_000_000,
    'A thing to book, or a user, whose document is larger takes no new bookings until what is old is forgotten',
  ),
  dailyQuotas: setting(
    'DAILY_QUOTAS',
    quotas,
    DEFAULT_QUOTAS,
    'How much a user stores in a day (UTC); accounts: of a network address, invitationsToOne: of one user with one other',
  ),
  callsPerUser: setting(
    'CALLS_PER_USER',
    wholeNumber(0, 100_000),
    8,
    'Calls of one user to one operation that run at once in a process; the others wait for their turn',
  ),
  jobsPort: setting('JOBS_PORT', port, 8081, 'agendash'),
  functionsHost: setting('FUNCTIONS_HOST', address, '127.0.0.1', 'Interface that function hosts bind to'),
  functionsAdvertise: setting(
    'FUNCTIONS_ADVERTISE',
    address,
    '',
    'Address that others reach them at; empty: functionsHost',
  ),
  discovery: setting('DISCOVERY', oneOf('broadcast', 'multicast', 'redis'), 'broadcast', 'How hosts find each other'),
  discoveryAddress: setting('DISCOVERY_ADDRESS', address, '127.255.255.255', 'Broadcast or multicast address'),
  discoveryPort: setting('DISCOVERY_PORT', port, 12345, 'UDP port of discovery; one per running system'),
  redisUrl: secret(
    'REDIS_URL',
    redisUrls,
    'Redis that caches reads, from 6.2 up; several, comma-separated: nodes of a Redis Cluster; empty: memory of each process',
  ),
  discoveryRedisUrl: secret('DISCOVERY_REDIS_URL', redisUrl, 'Redis for discovery'),
  placement: setting(
    'PLACEMENT',
    placement,
    '',
    'Instances by domain, of each other one (*), of one app for all others (functions), and operations in apps of their own: *=1,users=4,createBooking=3 or functions=2,gateway=1',
  ),
  dataDir: setting('DATA_DIR', text, '.data', 'Secrets of development and data of the embedded MongoDB'),
  pm2Home: setting('PM2_HOME', text, '', 'Where PM2 keeps its daemon; empty: .pm2 in the home directory'),
  alertWebhookUrl: secret(
    'ALERT_WEBHOOK_URL',
    webUrl,
    'Where alerts are POSTed to, so that a person hears of them; empty: nowhere',
  ),
  logFileMb: setting(
    'LOG_FILE_MB',
    wholeNumber(0, 100_000),
    20,
    'Megabytes beyond which a log file of PM2 is set aside, and one older is kept; 0: never',
  ),
  logLevel: setting(
    'LOG_LEVEL',
    oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
    'info',
    'pino level',
  ),
}

export type Settings = { [K in keyof typeof SETTINGS]: z.output<(typeof SETTINGS)[K]['read']> }

/** A setting that is wrong, or wrong together with another. The message names it and says what would be right. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/**
 * Reads the environment by the table. Throws a ConfigError that names the first setting that is wrong. How a text is read
 * is said by our kinds: convict's own formats take the 8080 out of `8080abc`.
 */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const table = Object.entries(SETTINGS as Record<string, Setting<unknown>>)
  for (const [, each] of table) {
    convict.addFormat({ name: each.env, validate: () => {}, coerce: (value: string) => readSetting(each, value) })
  }
  const schema = table.map(([key, each]) => [
    key,
    { doc: each.doc, env: each.env, format: each.env, default: readSetting(each), sensitive: each.secret },
  ])
  return convict<Settings>(Object.fromEntries(schema) as convict.Schema<Settings>, { env, args: [] }).getProperties()
}

/** `FOO=` in a shell means "not set" to people. */
export function readSetting<T>({ env, read, fallback, secret }: Setting<T>, set = ''): T {
  const value = set === '' ? fallback : set
  const shown = secret ? env : `${env}=${JSON.stringify(value).slice(1, -1)}`
  if (value !== value.trim()) throw new ConfigError(`${shown} is blank, or begins or ends with a blank`)
  if (/^(["']).*\1$/s.test(value)) {
    throw new ConfigError(`${shown} is in quotation marks: leave them to the shell, or out of the file`)
  }
  const result = read.safeParse(value)
  if (result.success) return result.data
  throw new ConfigError(`${shown} ${result.error.issues[0]?.message ?? 'is not allowed'}`)
}

/** Those that may have a database: the folders of functions/, and the jobs. */
const DOMAINS = [
  ...readdirSync(fileURLToPath(new URL('../functions', import.meta.url)), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name),
  'jobs',
]
const DOMAIN_URI = 'MONGODB_URI_'
const domainSetting = (domain: string): Setting<string> =>
  secret(`${DOMAIN_URI}${domain.toUpperCase()}`, mongodbUri, '')

/** MONGODB_URI_<DOMAIN>, by domain. Throws for one of no domain: its data would silently go elsewhere. */
export function readDomainUris(env: NodeJS.ProcessEnv): Map<string, string> {
  const known = new Map(DOMAINS.map((domain) => [domainSetting(domain).env, domain]))
  const uris = Object.keys(env).filter((name) => name.startsWith(DOMAIN_URI) && env[name] !== '')
  const stranger = uris.find((name) => !known.has(name))
  if (stranger !== undefined) {
    const [near] = nearest(stranger, [...known.keys()])
    throw new ConfigError(
      `${stranger} is of no domain${near ? `: did you mean ${near}?` : `; there are ${DOMAINS.join(', ')}`}`,
    )
  }
  return new Map(
    uris.map((name) => {
      const domain = known.get(name) as string
      return [domain, readSetting(domainSetting(domain), env[name])]
    }),
  )
}

/** Everything of ours in an environment, and empty where it is not set: who gets it keeps nothing from before. */
export const ownEnvironment = (env: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(
    [...Object.values(SETTINGS), ...DOMAINS.map(domainSetting)].map((each) => [each.env, env[each.env] ?? '']),
  )

/** Names that look like ours and are not, each with a sentence for people. */
export function nearMisses(env: NodeJS.ProcessEnv): string[] {
  const ours = Object.values(SETTINGS).map((each) => each.env)
  return Object.keys(env)
    .filter((name) => !ours.includes(name) && !name.startsWith(DOMAIN_URI))
    .flatMap((name) => nearest(name, ours).map((near) => `${name} is no setting: did you mean ${near}?`))
}

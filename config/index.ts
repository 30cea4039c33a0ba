import { join, resolve } from 'node:path'
import { homedir } from 'node:os'
import { embeddedUri } from './embedded.js'
import { limits, type DerivedLimits } from './limits.js'
import { NO_QUOTAS, type Quotas } from './quotas.js'
import { developmentSecrets } from './secrets.js'
import { ConfigError, nearMisses, ownEnvironment, readDomainUris, readSettings, type Settings } from './settings.js'

export { embeddedUriFile, mongodSettings, type MongodSettings } from './embedded.js'
export { databaseName, DEFAULT_DATABASE, placeOf } from './mongodb.js'
export { nearest } from './nearest.js'
export { QUOTAS } from './quotas.js'
export { ConfigError, SETTINGS } from './settings.js'

/**
 * The one place where the environment is read. `loadConfig` validates every setting (settings.ts) and the relations
 * between them (here, limits.ts) once, at boot, and refuses to start with a sentence that names what is wrong.
 */
export interface Config extends DerivedLimits {
  env: string
  development: boolean
  /** Empty when the embedded MongoDB is wanted and has not been started yet. */
  mongodbUri(domain: string): string
  /** No MONGODB_URI is set: `npm start` runs a mongod of our own. */
  embeddedMongo: boolean
  gateway: { host: string; port: number; allowedOrigins: string[] }
  authSecret: string
  /** Tokens that it signed are accepted too; empty: none. */
  authSecretAlso: string
  clusterSecret: string
  tokenTtlMs: number
  /** Of their own tokens, and of a session that nobody refreshes. */
  sessions: { tokenTtlMs: number; ttlMs: number }
  /** How long an order holds its ticket unpaid. */
  orderExpiresAfterMs: number
  /** Unpaid ones of a buyer. */
  maxOpenOrders: number
  /** How long a ticket that a buyer let go, unpaid, is for others only. */
  orderPauseMs: number
  /** Buyer and seller cancel a confirmed invitation until so long before it begins. */
  invitationCancelNoticeMs: number
  /** Of one buyer with one seller. */
  maxOpenInvitations: number
  /** Passengers cancel until `cancelNoticeMs` before the train leaves; where it moved by more than the other, until then. */
  trains: { cancelNoticeMs: number; freeCancelAfterMs: number }
  /** secretKey empty: there are no payments by Stripe. webhookSecret empty: no webhooks of it are taken. */
  stripe: { secretKey: string; webhookSecret: string; url: string; currency: string }
  webhooks: { host: string; port: number }
  /** file: where mails are written to in place of an SMTP server. Both empty: there are no mails. */
  mail: { smtpUrl: string; file: string; from: string; accountPageUrl: string }
  /** Times that clients give are in these years. */
  years: { first: number; last: number }
  /** How long a booking of a period may be. */
  maxBookingDays: number
  maxDocumentBytes: number
  rateLimitPerSecond: number
  /** 0: not bounded, as where rateLimitPerSecond is 0. */
  callsPerUser: number
  /** How much a user stores in a day; 0: not bounded, as where rateLimitPerSecond is 0. */
  quotas: Quotas
  jobsPort: number
  functions: { host: string; advertise: string }
  discovery: { mode: 'broadcast' | 'multicast' | 'redis'; address: string; port: number; redisUrl: string }
  /** redisUrls: one server, or nodes of a cluster; none: each process caches for itself. */
  cache: { redisUrls: string[] }
  /** Instances by domain or operation name, as set; `*`: of the domains, and the gateway, that are not named. */
  placement: Record<string, number>
  dataDir: string
  pm2Home: string
  /** Empty: nobody outside is alerted. */
  alertWebhookUrl: string
  /** Of one log file, beyond which it is set aside; 0: never. */
  logFileBytes: number
  logLevel: string
  /** What people should be told of, without it being wrong. */
  warnings: string[]
  /** Our part of the environment as it was read; what is not set is empty. Holds secrets. */
  environment: Record<string, string>
}

const MINIMUM_SECRET_CHARS = 32

export function loadConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const s = readSettings(env)
  const domainUris = readDomainUris(env)
  const development = s.env === 'development' || s.env === 'test'
  const dataDir = resolve(s.dataDir)
  const secrets = development ? keptSecrets(dataDir, s) : s
  refuseWeak({ AUTH_SECRET: secrets.authSecret, CLUSTER_SECRET: secrets.clusterSecret })
  if (s.authSecretAlso) refuseWeak({ AUTH_SECRET_ALSO: s.authSecretAlso })
  refuseStrangers(s, development)
  refuseEqualPorts(s)
  if (s.firstYear > s.lastYear) throw new ConfigError(`FIRST_YEAR=${s.firstYear} is after LAST_YEAR=${s.lastYear}`)
  if (s.sessionTtlMs < s.sessionTokenTtlMs)
    throw new ConfigError(
      `SESSION_TTL_MS=${s.sessionTtlMs} is under SESSION_TOKEN_TTL_MS=${s.sessionTokenTtlMs}: a session would end before its first token`,
    )
  if (s.discovery === 'redis' && !s.discoveryRedisUrl)
    throw new ConfigError('DISCOVERY=redis needs DISCOVERY_REDIS_URL')

  return Object.freeze({
    env: s.env,
    development,
    embeddedMongo: !s.mongodbUri,
    mongodbUri: (domain: string) => domainUris.get(domain) ?? (s.mongodbUri || embeddedUri(dataDir)),
    gateway: { host: s.gatewayHost, port: s.gatewayPort, allowedOrigins: s.allowedOrigins },
    authSecret: secrets.authSecret,
    authSecretAlso: s.authSecretAlso,
    clusterSecret: secrets.clusterSecret,
    tokenTtlMs: s.tokenTtlMs,
    sessions: { tokenTtlMs: s.sessionTokenTtlMs, ttlMs: s.sessionTtlMs },
    ...limits(s),
    orderExpiresAfterMs: s.orderExpiresAfterMs,
    maxOpenOrders: s.maxOpenOrders,
    orderPauseMs: s.orderPauseMs,
    invitationCancelNoticeMs: s.invitationCancelNoticeMs,
    maxOpenInvitations: s.maxOpenInvitations,
    trains: { cancelNoticeMs: s.trainCancelNoticeMs, freeCancelAfterMs: s.trainFreeCancelAfterMs },
    stripe: {
      secretKey: s.stripeSecretKey,
      webhookSecret: s.stripeWebhookSecret,
      url: s.stripeUrl,
      currency: s.stripeCurrency,
    },
    webhooks: { host: s.webhookHost, port: s.webhookPort },
    mail: {
      smtpUrl: s.smtpUrl,
      file: development && !s.smtpUrl ? join(dataDir, 'mails.txt') : '',
      from: s.mailFrom,
      accountPageUrl: s.accountPageUrl,
    },
    years: { first: s.firstYear, last: s.lastYear },
    maxBookingDays: s.maxBookingDays,
    maxDocumentBytes: s.maxDocumentBytes,
    rateLimitPerSecond: s.rateLimitPerSecond,
    callsPerUser: s.rateLimitPerSecond === 0 ? 0 : s.callsPerUser,
    quotas: s.rateLimitPerSecond === 0 ? NO_QUOTAS : s.dailyQuotas,
    jobsPort: s.jobsPort,
    functions: { host: s.functionsHost, advertise: s.functionsAdvertise || s.functionsHost },
    discovery: { mode: s.discovery, address: s.discoveryAddress, port: s.discoveryPort, redisUrl: s.discoveryRedisUrl },
    cache: { redisUrls: s.redisUrl },
    placement: s.placement,
    dataDir,
    pm2Home: s.pm2Home || join(homedir(), '.pm2'),
    alertWebhookUrl: s.alertWebhookUrl,
    logFileBytes: s.logFileMb * 1_000_000,
    logLevel: s.logLevel,
    warnings: nearMisses(env),
    environment: ownEnvironment(env),
  })
}

function keptSecrets(dataDir: string, s: Settings): { authSecret: string; clusterSecret: string } {
  try {
    return developmentSecrets(dataDir, s)
  } catch (error) {
    throw new ConfigError(`DATA_DIR=${dataDir} cannot be used: ${(error as Error).message}`, { cause: error })
  }
}

function refuseWeak(secrets: Record<string, string>): void {
  for (const [name, value] of Object.entries(secrets)) {
    if (!value)
      throw new ConfigError(
        `${name} is not set: outside development it must be, with at least ${MINIMUM_SECRET_CHARS} characters`,
      )
    if (value.length < MINIMUM_SECRET_CHARS)
      throw new ConfigError(`${name} is too short: it needs at least ${MINIMUM_SECRET_CHARS} characters`)
  }
}

/** Development stays on this machine; everything else brings its own MongoDB. */
function refuseStrangers(s: Settings, development: boolean): void {
  if (!development) {
    if (!s.mongodbUri) throw new ConfigError('MONGODB_URI is not set: the embedded MongoDB is for development alone')
    return
  }
  const bound = {
    GATEWAY_HOST: s.gatewayHost,
    WEBHOOK_HOST: s.webhookHost,
    FUNCTIONS_HOST: s.functionsHost,
    FUNCTIONS_ADVERTISE: s.functionsAdvertise || s.functionsHost,
  }
  for (const [name, address] of Object.entries(bound)) {
    if (!isLoopback(address))
      throw new ConfigError(`${name}=${address} is not a loopback address: set NODE_ENV=production to bind to others`)
  }
}

function refuseEqualPorts({ gatewayPort, jobsPort, webhookPort }: Settings): void {
  const ports = Object.entries({ GATEWAY_PORT: gatewayPort, JOBS_PORT: jobsPort, WEBHOOK_PORT: webhookPort })
  for (const [name, port] of ports) {
    const other = ports.find((each) => each[0] !== name && each[1] === port)
    if (other) throw new ConfigError(`${name} and ${other[0]} are both ${port}: each needs a port of its own`)
  }
}

const isLoopback = (address: string): boolean => address === '::1' || address.startsWith('127.')

import mongoose from 'mongoose'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { seededRandom } from '../../support/numbers.js'
import { loadConfig } from '../../../config/index.js'
import { bookings } from '../../../functions/bookings/contract.js'
import { tickets } from '../../../functions/tickets/contract.js'
import { users } from '../../../functions/users/contract.js'
import { createCoteTransport } from '../../../platform/calls/cote.js'
import { createLogger } from '../../../platform/lib/log.js'
import { migrateUp } from '../../../platform/migrations/migrations.js'
import { freeUdpPort } from '../../support/ports.js'
import { until } from '../../support/until.js'
import { freeTcpPorts } from '../../support/installation.js'
import { auditRace, type RaceAudit } from './auditor.js'
import { buy, type Told } from './buyers.js'
import { createShopper, type Shopper } from './client.js'
import { startProcesses } from './processes.js'
import { startStripeStandIn } from './stripeStandIn.js'

export interface RaceSettings {
  mongodbUri: string
  /** The built system. */
  dist: string
  /** For secrets and the log. */
  directory: string
  buyers: number
  tickets: number
  seed: number
  /** How many buyers are about at the same time. */
  atOnce: number
  orderExpiresAfterMs: number
  say(line: string): void
}

export interface RaceReport extends RaceAudit {
  killed: number
  repeats: number
}

const PRICE = 700
const OPENING_BALANCE = 2 * PRICE
const SELLERS = 10
/** From one kill to the next. A process takes about two seconds of a core to come back. */
const KILL_EVERY_MS = [1500, 5000] as const
const SETTLE_WITHIN_MS = 300_000

/** Buyers race for tickets while the system's processes are killed; then everything is held against everything. */
export async function runRace(settings: RaceSettings): Promise<RaceReport> {
  const { say, seed } = settings
  const stripe = await startStripeStandIn()
  const [port] = (await freeTcpPorts(1)) as [number]
  const secret = `whsec_${randomBytes(8).toString('hex')}`
  const env = {
    NODE_ENV: 'development',
    MONGODB_URI: settings.mongodbUri,
    DATA_DIR: settings.directory,
    DISCOVERY_PORT: String(await freeUdpPort()),
    ORDER_EXPIRES_AFTER_MS: String(settings.orderExpiresAfterMs),
    // Few buyers race for few tickets: they come back to those that they let go.
    ORDER_PAUSE_MS: '0',
    MAX_OPEN_ORDERS: '1000',
    RECOVERY_STUCK_AFTER_MS: '10000',
    RECOVERY_INTERVAL_MS: '1000',
    STRIPE_URL: stripe.url,
    STRIPE_SECRET_KEY: 'sk_test_race',
    STRIPE_WEBHOOK_SECRET: secret,
    WEBHOOK_PORT: String(port),
  }
  const config = loadConfig(env)
  await migrateUp(config)
  const transport = await createCoteTransport({ config, log: createLogger('race', 'silent') })
  const processes = await startProcesses(settings.dist, env, join(settings.directory, 'log.txt'))
  const connection = await mongoose.createConnection(settings.mongodbUri).asPromise()
  const db = connection.db as mongoose.mongo.Db
  try {
    const client = createShopper(transport, config.deadlinesMs)
    const { ticketIds, buyerIds } = await setUp(client, settings)
    say(`${buyerIds.length} buyers, ${ticketIds.length} tickets, seed ${seed}`)

    stripe.onRequest(lossy(seed))
    const killing = processes.startKilling(seededRandom(seed), KILL_EVERY_MS)
    const webhook = { url: `http://127.0.0.1:${port}/stripe`, secret }
    const told = await race(settings, buyerIds, (userId, random) =>
      buy({ userId, role: 'user' }, random, { client, stripe, webhook, ticketIds }),
    )
    const killed = await killing.stop()
    stripe.onRequest(() => 'answer')
    say(`Every buyer is done; ${killed} processes were killed. Waiting until nothing moves any more`)

    await settled(db)
    const evidence = { db, stripe: stripe.books, told, openingBalance: OPENING_BALANCE }
    const audit = await auditRace(evidence)
    const books = await client.call(bookings.auditBooks, {})
    const violations = [...audit.violations, ...books.violations.map((each) => JSON.stringify(each))]
    return { ...audit, violations, killed, repeats: client.repeats() }
  } finally {
    await processes.stop()
    await transport.close()
    await connection.destroy()
    await stripe.close()
  }
}

async function setUp(client: Shopper, { buyers, tickets: count }: RaceSettings) {
  const make = async (name: string): Promise<string> => {
    const userId = client.newId()
    return (await client.call(users.createUser, { userId, name, email: `${userId}@example.com` })).id
  }
  const sellers = await Promise.all(Array.from({ length: SELLERS }, (_, i) => make(`seller ${i}`)))
  const ticketIds = await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const seller = { userId: sellers[i % SELLERS] as string, role: 'user' as const }
      const input = { ticketId: client.newId(), title: `ticket ${i}`, price: PRICE }
      return (await client.call(tickets.createTicket, input, seller)).id
    }),
  )
  const buyerIds: string[] = []
  const queue = Array.from({ length: buyers }, (_, i) => i).values()
  const work = async (): Promise<void> => {
    for (const i of queue) {
      const userId = await make(`buyer ${i}`)
      await client.call(users.depositFunds, { depositId: client.newId(), userId, amount: OPENING_BALANCE })
      buyerIds.push(userId)
    }
  }
  await Promise.all(Array.from({ length: 16 }, work))
  return { ticketIds, buyerIds }
}

/** Each buyer has random numbers of its own: what it does does not depend on who is faster. */
async function race(
  { atOnce, seed }: RaceSettings,
  buyerIds: readonly string[],
  run: (userId: string, random: () => number) => Promise<Told>,
): Promise<Told[]> {
  const told: Told[] = []
  const queue = buyerIds.entries()
  const work = async (): Promise<void> => {
    for (const [i, userId] of queue) told.push(await run(userId, seededRandom(seed * 100_000 + i)))
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  return told
}

/** One request to Stripe in ten has no reply, or no effect. */
function lossy(seed: number): () => 'answer' | 'lose' | 'refuse' {
  const random = seededRandom(seed + 1)
  return () => {
    const drawn = random()
    return drawn < 0.05 ? 'lose' : drawn < 0.1 ? 'refuse' : 'answer'
  }
}

/** Nothing is on its way any more: no event, no timer, no payment, no charge, no refund. */
async function settled(db: mongoose.mongo.Db): Promise<void> {
  const open: [collection: string, filter: object][] = [
    ['events', {}],
    ['expirations', {}],
    ['payments', { state: { $nin: ['COMMITTED', 'CANCELLED'] } }],
    [
      'charges',
      { $or: [{ state: { $in: ['pending', 'paid', 'accepted', 'refunding'] } }, { dueAt: { $exists: true } }] },
    ],
    ['orders', { state: { $in: ['created', 'awaiting_payment'] } }],
  ]
  await until(
    async () => {
      for (const [collection, filter] of open)
        if (await db.collection(collection).countDocuments(filter, { hint: '_id_' })) return false
      return true
    },
    { timeoutMs: SETTLE_WITHIN_MS, what: 'everything to settle' },
  )
}

import test from 'ava'
import mongoose from 'mongoose'
import { setTimeout as sleep } from 'node:timers/promises'
import { ecosystem } from '../../platform/app/ecosystem.js'
import { until } from '../../proof/support/until.js'
import { alive, install, PACKAGE, type Installation } from '../../proof/support/installation.js'
import { connect, demand, startLoad, type Load } from './load.js'
import { ownMongod, type OwnMongod } from './ownMongod.js'

/**
 * One system, one load of 50 clients that never pauses, and everything that operators and accidents do to it, one thing
 * after the other. What each test leaves behind the next one has to live with.
 */
const CLIENTS = 50
const SECOND_MS = 1000

let mongod: OwnMongod
let system: Installation
let token: string
let load: Load

test.before(async (t) => {
  mongod = await ownMongod()
  system = await install({
    MONGODB_URI: mongod.uri,
    // What the load uses twice, createBooking in an app of its own, everything else together as on any small machine.
    PLACEMENT: 'functions=1,users=2,bookings=2,createBooking=2,gateway=2',
    // A booking may take 9.6 s by this: a reload on two cores that 50 clients keep busy makes some wait for seconds.
    RECOVERY_STUCK_AFTER_MS: '16000',
    RECOVERY_INTERVAL_MS: '500',
    LOG_LEVEL: 'warn',
  })
  const { code, output } = await system.cli('start')
  t.is(code, 0, output)
  token = await system.adminToken()
  load = await startLoad({ url: system.url, config: system.config, token, clients: CLIENTS })
  await load.progress()
})

test.after.always('nothing is left running', async () => {
  await load?.stop()
  await system?.remove()
  await mongod?.remove()
})

/** No answer but good ones while `work` runs. */
async function withoutFailure(t: import('ava').ExecutionContext, work: () => Promise<void>): Promise<void> {
  const failed = load.failures.length
  const acknowledged = load.acknowledged.length
  await work()
  t.deepEqual(load.failures.slice(failed), [])
  t.log(`${load.acknowledged.length - acknowledged} bookings meanwhile, no failed request`)
}

test.serial('the load alone: no failure', async (t) => {
  await withoutFailure(t, () => load.progress(5))
})

test.serial('npm run reload under load: no failed request', async (t) => {
  const before = await system.rows()
  await withoutFailure(t, async () => {
    const { code, output } = await system.cli('reload')
    t.is(code, 0, output)
    await load.progress()
  })
  const pids = new Set((await system.rows()).map(({ pid }) => pid))
  t.deepEqual(
    before.filter(({ pid }) => pids.has(pid)),
    [],
    'every process is a new one',
  )
})

test.serial('pm2 reload ecosystem.config.js --parallel 1 under load: no failed request', async (t) => {
  await withoutFailure(t, async () => {
    const { code, output } = await system.pm2('reload', 'ecosystem.config.js', '--parallel', '1')
    t.is(code, 0, output)
    await load.progress()
  })
})

test.serial('pm2 scale under load: more and fewer instances answer, no failed request', async (t) => {
  const socket = connect(system.url)
  t.teardown(() => socket.disconnect())
  const instances = async (): Promise<number | undefined> => {
    const { functions } = (await demand(socket, 'getStatus', {})) as {
      functions: { name: string; instances: number }[]
    }
    return functions.find(({ name }) => name === 'signIn')?.instances
  }
  await withoutFailure(t, async () => {
    for (const count of [4, 2]) {
      const { code, output } = await system.pm2('scale', 'users', String(count))
      t.is(code, 0, output)
      await until(async () => (await instances()) === count, { timeoutMs: 30_000, what: `${count} instances` })
    }
    await load.progress()
  })
})

test.serial('kill -9 of each app in turn under load: it answers again by itself', async (t) => {
  const apps = [...new Set((await system.rows()).map(({ app }) => app))]
  const expected = ecosystem(system.config, PACKAGE).map(({ name }) => name)
  t.deepEqual(apps.sort(), expected.sort())
  for (const app of apps) {
    const killed = (await system.rows(app)).map(({ pid }) => pid)
    for (const pid of killed) process.kill(pid, 'SIGKILL')
    await until(() => !killed.some(alive))
    const killedAt = Date.now()
    await load.progress()
    const answeredAt = Date.now()
    await until(async () => (await system.rows(app)).every(({ status, pid }) => status === 'online' && pid > 0), {
      timeoutMs: 30_000,
      what: `${app} to be online`,
    })
    t.log(`${app}: every client booked again after ${answeredAt - killedAt} ms`)
  }
})

test.serial('MongoDB dead for 10 s: it answers again by itself, nothing is restarted', async (t) => {
  const before = await system.rows()
  await mongod.kill()
  // As long as said, not until something happens.
  await sleep(10 * SECOND_MS)
  const startedAt = Date.now()
  await mongod.start()
  await load.progress()
  t.log(`every client booked again after ${Date.now() - startedAt} ms`)
  t.deepEqual(await system.rows(), before)
})

test.serial('after all that the books balance and no acknowledged booking is lost', async (t) => {
  await load.stop()
  const socket = connect(system.url, token)
  t.teardown(() => socket.disconnect())
  const connection = await mongoose.createConnection(mongod.uri).asPromise()
  t.teardown(() => connection.close())
  const bookings = connection.collection('bookings')

  const outstanding = { state: { $nin: ['COMMITTED', 'CANCELLED'] } }
  await until(async () => (await bookings.countDocuments(outstanding, { hint: '_id_' })) === 0, {
    timeoutMs: 60_000,
    what: 'recovery to finish every booking',
  })
  const patienceMs = system.config.deadlinesMs.sweep + 5 * SECOND_MS
  const audit = (await demand(socket, 'auditBooks', {}, patienceMs)) as { ok: boolean; violations: unknown[] }
  t.deepEqual(audit.violations, [])
  t.true(audit.ok)

  const committed = await bookings.find({ state: 'COMMITTED' }).sort({ _id: 1 }).toArray()
  const ids = new Set(committed.map(({ _id }) => _id.toHexString()))
  t.deepEqual(
    load.acknowledged.filter(({ bookingId }) => !ids.has(bookingId)),
    [],
  )
  const balances = await connection.collection('users').find().toArray()
  for (const userId of load.users) {
    const own = committed.filter((each) => String(each['userId']) === userId)
    const spent = own.reduce((sum, each) => sum + Number(each['cost']), 0)
    const user = balances.find(({ _id }) => _id.toHexString() === userId)
    t.is(Number(user?.['balance']), load.funds - spent, userId)
  }
  t.log(
    `${load.acknowledged.length} acknowledged, ${committed.length} committed, ${load.failures.length} failed answers`,
  )
})

import test, { type ExecutionContext } from 'ava'
import { once } from 'node:events'
import { pino } from 'pino'
import { SCHEDULE } from '../../jobs/schedule.js'
import { createCoteTransport } from '../../platform/calls/cote.js'
import { fullName } from '../../platform/runtime/system.js'
import { migrateUp } from '../../platform/migrations/migrations.js'
import type { Envelope } from '../../platform/runtime/transport.js'
import { collectJsonLines, createNet, forkProgram, type Net } from '../support/cote.js'
import { createDoor, freePort } from '../support/door.js'
import { sharedMongod } from '../support/mongod.js'
import { until } from '../../proof/support/until.js'

const PATIENTLY = { timeoutMs: 60_000 }

/** An app as PM2 runs it, from sources. */
function run(t: ExecutionContext, { config, env }: Net, app: 'main' | 'agendash') {
  const child = forkProgram(t, { config, env: { ...env, LOG_LEVEL: 'info' } }, `../../jobs/${app}.ts`, [])
  const exited = once(child, 'exit').then(([code]) => code as number | null)
  const messages: unknown[] = []
  child.on('message', (message) => void messages.push(message))
  const logs = collectJsonLines(child)
  const logged = (message: string) => until(() => logs.find(({ msg }) => msg === message), PATIENTLY)
  return { child, exited, messages, logs, logged }
}

/** Answers the recovery functions in place of their hosts, over cote; what it answered, it lists. */
async function answerRecovery(t: ExecutionContext, { config }: Net): Promise<Envelope[]> {
  const answered: Envelope[] = []
  const operations = SCHEDULE.flatMap(({ calls }) => calls.map(fullName))
  const transport = await createCoteTransport({ config, log: pino({ level: 'silent' }) })
  t.teardown(() => transport.close())
  await transport.serve({
    app: 'fakes',
    operations,
    handle(envelope) {
      answered.push(envelope)
      return Promise.resolve({ ok: true, data: {} })
    },
    health: () => Promise.resolve({ app: 'fakes', operations, databases: {}, checks: {} }),
  })
  return answered
}

test('jobs waits for MongoDB, recovers through the transport, outlives a loss of MongoDB, and stops', async (t) => {
  const mongodbUri = (await sharedMongod()).uri()
  await migrateUp((await createNet(t, { MONGODB_URI: mongodbUri })).config, { domains: ['jobs', 'expirations'] })
  const door = await createDoor(t, mongodbUri)
  const net = await createNet(t, { MONGODB_URI: door.uri, RECOVERY_INTERVAL_MS: '250' })
  const answered = await answerRecovery(t, net)
  const jobs = run(t, net, 'main')
  await jobs.logged('waiting for MongoDB')
  t.deepEqual([answered, jobs.messages], [[], []])

  await door.open()
  await until(() => jobs.messages.length > 0, PATIENTLY)
  t.deepEqual(jobs.messages, ['ready'])
  for (const operation of ['bookings.recoverBookings', 'users.recoverTransfers']) {
    await until(() => answered.filter((each) => each.operation === operation).length > 2, PATIENTLY)
  }
  t.true(answered.every(({ caller, input }) => caller === null && JSON.stringify(input) === '{}'))

  await door.shut()
  await jobs.logged('MongoDB is out of reach')
  await door.open()
  const before = answered.length
  await until(() => answered.length > before + 4, PATIENTLY)

  jobs.child.kill('SIGTERM')
  t.is(await jobs.exited, 0)
})

for (const app of ['main', 'agendash'] as const) {
  test(`${app} says what to run while a migration is pending, and exits with 1`, async (t) => {
    const { exited, logs, messages } = run(t, await createNet(t, { MONGODB_URI: (await sharedMongod()).uri() }), app)
    t.is(await exited, 1)
    t.deepEqual(messages, [])
    t.is(logs.length, 1)
    t.regex((logs[0]?.['err'] as Error).message, /npm run migrate -- up/)
  })
}

test('agendash listens on 127.0.0.1 alone, and stops', async (t) => {
  const port = await freePort()
  const net = await createNet(t, { MONGODB_URI: (await sharedMongod()).uri(), JOBS_PORT: String(port) })
  await migrateUp(net.config, { domains: ['jobs', 'expirations'] })
  const { child, exited, messages } = run(t, net, 'agendash')
  await until(() => messages.length > 0, PATIENTLY)
  t.deepEqual(messages, ['ready'])
  t.regex(await (await fetch(`http://127.0.0.1:${port}/`)).text(), /<form method="post" action="\/sign-in">/)
  await t.throwsAsync(fetch(`http://127.0.0.2:${port}/sign-in`))
  child.kill('SIGTERM')
  t.is(await exited, 0)
})

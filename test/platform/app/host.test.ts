import test, { type ExecutionContext } from 'ava'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import { migrateUp } from '../../../platform/migrations/migrations.js'
import { runHost } from '../../../platform/app/runHost.js'
import { collectJsonLines, createCaller, createNet, type Net } from '../../support/cote.js'
import { createDoor, freePort } from '../../support/door.js'
import { sharedMongod } from '../../support/mongod.js'
import { until } from '../../../proof/support/until.js'

const USER_ID = '000000000000000000000001'

function forkHost(t: ExecutionContext, { env }: Net, args: string[]) {
  const child = fork(fileURLToPath(new URL('../../../platform/app/host.ts', import.meta.url)), args, {
    env: { ...env, LOG_LEVEL: 'info' },
    execArgv: ['--import=tsx'],
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  const exited = once(child, 'exit').then(([code]) => code as number | null)
  t.teardown(async () => {
    child.kill('SIGKILL')
    await exited
  })
  const messages: unknown[] = []
  child.on('message', (message) => void messages.push(message))
  return { child, exited, messages, logs: collectJsonLines(child) }
}

test('a host waits for its database, says ready when it answers, and drains on SIGTERM', async (t) => {
  const mongodbUri = (await sharedMongod()).uri()
  const { config } = await createNet(t, { MONGODB_URI: mongodbUri })
  await migrateUp(config, { domains: ['users'] })
  const door = await createDoor(t, mongodbUri)
  const network = await createNet(t, { MONGODB_URI: door.uri })
  const host = forkHost(t, network, ['--app', 'users', '--operations', 'getUser'])
  await until(() => host.logs.some(({ msg }) => msg === 'waiting for MongoDB'), { timeoutMs: 30_000 })
  t.deepEqual(host.messages, [])

  await door.open()
  await until(() => host.messages.length === 1, { timeoutMs: 30_000 })
  t.deepEqual(host.messages, ['ready'])

  const caller = await createCaller(t, network)
  const result = await caller.request(
    {
      operation: 'users.getUser',
      input: { userId: USER_ID },
      caller: { userId: USER_ID, role: 'admin' },
      requestId: 'r',
      ttlMs: 10_000,
    },
    { idempotent: true },
  )
  t.is(result.ok ? 'ok' : result.error.code, 'user_not_found')
  t.deepEqual(await caller.health(), [
    { app: 'users', operations: ['users.getUser'], databases: { users: true }, checks: {} },
  ])

  host.child.kill('SIGTERM')
  t.is(await host.exited, 0)
})

for (const [what, args, message] of [
  ['an unknown function', ['--app', 'users', '--operations', 'getNothing'], /no function getNothing/],
  ['no operations', ['--app', 'users'], /--operations/],
] as const) {
  test(`a host with ${what} says why in one line, and exits with 1`, async (t) => {
    const host = forkHost(t, await createNet(t), [...args])
    t.is(await host.exited, 1)
    t.is(host.logs.length, 1)
    t.regex((host.logs[0]?.['err'] as Error).message, message)
  })
}

test('a host that is stopped while it waits for its database exits with 0', async (t) => {
  const network = await createNet(t, { MONGODB_URI: `mongodb://127.0.0.1:${await freePort()}` })
  const host = forkHost(t, network, ['--app', 'users', '--operations', 'getUser'])
  await until(() => host.logs.some(({ msg }) => msg === 'waiting for MongoDB'), { timeoutMs: 30_000 })
  host.child.kill('SIGTERM')
  t.is(await host.exited, 0)
})

test('a host whose database has a migration pending says what to run, and exits with 1', async (t) => {
  const network = await createNet(t, { MONGODB_URI: (await sharedMongod()).uri() })
  const host = forkHost(t, network, ['--app', 'users', '--operations', 'getUser'])
  t.is(await host.exited, 1)
  t.is(host.logs.length, 1)
  t.regex((host.logs[0]?.['err'] as Error).message, /npm run migrate -- up/)
})

test('a function with a bad import is no host', async (t) => {
  const { config } = await createNet(t)
  const root = join(config.dataDir, 'functions')
  mkdirSync(join(root, 'broken'), { recursive: true })
  writeFileSync(join(root, 'broken', 'doNothing.ts'), `import './nowhere.js'\n`)
  const log = pino({ level: 'silent' })
  await t.throwsAsync(runHost({ app: 'broken', operations: ['doNothing'], config, log, root }), { message: /nowhere/ })
})

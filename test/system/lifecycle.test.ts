import test from 'ava'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findMongod } from '../../platform/mongod/mongod.js'
import { alive, install, PACKAGE, run, type Installation } from '../../proof/support/installation.js'
import { until } from '../../proof/support/until.js'
import { COMMANDS, npmRun } from './commands.js'
import { ask, connect, demand } from './load.js'

/** What a person does with the npm scripts, on the embedded MongoDB, in this order. */
let system: Installation
let other: Installation
/** A booking made before the first stop. */
let made: { bookingId: string; userId: string }

/** With a space in its path, as everything of an installation has. */
let binaries: string

test.before(async () => {
  binaries = await mkdtemp(join(tmpdir(), 'holdfast mongod-'))
  await symlink(await findMongod(() => {}), join(binaries, 'mongod'))
  system = await install({ MONGOMS_SYSTEM_BINARY: join(binaries, 'mongod') })
  other = await install({ PLACEMENT: '*=1' })
})

test.after.always('nothing is left running', async () => {
  await system.remove()
  await other.remove()
  await rm(binaries, { recursive: true, force: true })
})

const npm = (...args: string[]) => run('npm', args, PACKAGE, system.env)

async function adminToken(of: Installation): Promise<string> {
  return (await of.cli('token', '--role', 'admin')).output.trim().split('\n').at(-1) as string
}

test.serial('npm start | cat ends by itself when every function answers', async (t) => {
  const { code, output } = await run('sh', ['-c', 'npm start | cat'], PACKAGE, system.env)
  t.is(code, 0)
  t.regex(output, /\d+\.\d s {2}Ready: 127\.0\.0\.1:/)
  t.deepEqual(
    (await system.rows()).filter(({ status }) => status !== 'online'),
    [],
  )
})

test.serial('a client signs up, books a car, and sees the money move', async (t) => {
  const admin = connect(system.url, await adminToken(system))
  const anonymous = connect(system.url)
  const email = 'ada@example.com'
  const password = 'correct horse battery'
  await demand(anonymous, 'signUp', { email, password, name: 'Ada' })
  const { user, token } = (await demand(anonymous, 'signIn', { email, password })) as {
    user: { id: string }
    token: string
  }
  const { id: carId } = (await demand(admin, 'createCar', { name: 'Blue Beetle', pricePerHour: 1000 })) as {
    id: string
  }
  await demand(admin, 'depositFunds', { userId: user.id, amount: 5000 })

  const client = connect(system.url, token)
  const period = { from: '2031-01-01T01:00:00.000Z', to: '2031-01-01T03:00:00.000Z' }
  const booking = await demand(client, 'createBooking', { carId, ...period })
  t.like(booking, { state: 'COMMITTED', cost: 2000 })
  t.like(await demand(client, 'getUser', { userId: user.id }), { balance: 3000 })
  made = { bookingId: booking['id'] as string, userId: user.id }
  for (const socket of [admin, anonymous, client]) socket.disconnect()
})

test.serial('npm run token, demo and audit', async (t) => {
  const token = await npm('run', 'token', '--', '--role', 'user', '--user', made.userId)
  const client = connect(system.url, token.output.trim().split('\n').at(-1))
  t.like(await demand(client, 'getBooking', { bookingId: made.bookingId }), { state: 'COMMITTED' })
  client.disconnect()
  t.is((await system.cli('token', '--role', 'admin', '--user', made.userId)).code, 1, 'another role than the user has')
  t.is((await system.cli('token', '--role', 'user', '--user', 'f'.repeat(24))).code, 1, 'an unknown user')

  const demo = await npm('run', 'demo')
  t.is(demo.code, 0, demo.output)
  t.regex(demo.output, /createBooking: COMMITTED/)
  const audit = await npm('run', 'audit')
  t.is(audit.code, 0, audit.output)
  t.regex(audit.output, /The books balance/)
})

test.serial('the one function process killed: calls wait until it is back, none fails', async (t) => {
  const admin = connect(system.url, await adminToken(system))
  t.teardown(() => admin.disconnect())
  await demand(admin, 'getUser', { userId: made.userId })
  const [functions, ...others] = await system.rows('functions')
  t.deepEqual(others, [])
  const { pid } = functions ?? t.fail('functions do not share a process')
  process.kill(pid, 'SIGKILL')
  await until(() => !alive(pid))
  const killedAt = performance.now()
  const waiting = Array.from({ length: 20 }, async () => {
    await demand(admin, 'depositFunds', { userId: made.userId, amount: 1 })
    return performance.now() - killedAt
  })
  // How long depends on the machine: docs/performance.md has figures. Longer than such a call may take, 15 s, it fails.
  const waitedMs = Math.max(...(await Promise.all(waiting)))
  t.log(`answered ${Math.round(waitedMs)} ms after the kill`)
})

test.serial('every other command that wants a running system, as a user types it', async (t) => {
  for (const [script, { good }] of Object.entries(COMMANDS)) {
    if ('shownBy' in good || good.alone) continue
    const { code, out, error } = await npmRun(script, good.words, system.env)
    t.is(code, good.code ?? 0, `${script}: ${error}`)
    t.regex(out, good.says, script)
    t.regex(error, /^MongoDB: 127\.0\.0\.1:\d+\/holdfast$/m, `${script} says of which databases it speaks`)
    t.notRegex(error, /Beware/, script)
  }
  const { error } = await npmRun('status', '', {
    ...system.env,
    TOKEN_TTL_MS: '5000',
    AUTH_SECRET: 'a secret'.repeat(9),
  })
  t.regex(error, /^Beware: what runs in .* has other settings than this command: AUTH_SECRET, TOKEN_TTL_MS$/m)
})

test.serial('every command explains itself', async (t) => {
  for (const name of ['start', 'stop', 'reload', 'token', 'demo', 'audit', 'migrate', 'jobs']) {
    const { code, output } = await system.cli(name, '--help')
    t.is(code, 0, name)
    t.regex(output, /^npm (run )?\w+/, name)
  }
  t.is((await system.cli('start', '--nonsense')).code, 1)
})

test.serial('pm2 ls, describe and logs work as anywhere', async (t) => {
  t.regex((await system.pm2('ls')).output, /functions.*online/)
  t.regex((await system.pm2('describe', 'functions')).output, /fork_mode/)
  t.is((await system.pm2('logs', 'functions', '--nostream', '--lines', '3')).code, 0)
})

test.serial('a second system runs beside the first, with data of its own', async (t) => {
  const { code, output } = await other.cli('start')
  t.is(code, 0, output)
  const admin = connect(other.url, await adminToken(other))
  const missing = await ask(admin, 'getBooking', { bookingId: made.bookingId })
  t.like(missing, { ok: false, error: { code: 'booking_not_found' } })
  const stranger = connect(other.url, await adminToken(system))
  const refusal = await new Promise<Error & { data?: { code: string } }>((resolve) =>
    stranger.once('connect_error', resolve),
  )
  t.is(refusal.data?.code, 'unauthenticated')
  for (const socket of [admin, stranger]) socket.disconnect()
})

test.serial('npm stop ends every process, of this system alone', async (t) => {
  const pids = (await system.rows()).map(({ pid }) => pid)
  const [one, two] = await Promise.all([npm('stop'), npm('stop')])
  t.deepEqual([one.code, two.code], [0, 0], one.output + two.output)
  t.regex(one.output + two.output, /Another command works in PM2_HOME=.*: waiting for it/)
  t.deepEqual(pids.filter(alive), [])
  t.false((await other.rows()).some(({ status }) => status !== 'online'))
  t.is((await npm('stop')).code, 0, 'stopping twice is fine')
})

test.serial('npm start again: the data is still there; starting twice is fine', async (t) => {
  for (const attempt of ['again', 'while it runs']) {
    const { code, output } = await system.cli('start')
    t.is(code, 0, `${attempt}: ${output}`)
    const client = connect(system.url, await adminToken(system))
    t.like(await demand(client, 'getBooking', { bookingId: made.bookingId }), { state: 'COMMITTED' })
    client.disconnect()
  }
})

test.serial('PM2 itself killed: npm start brings all back, and no process of before is left', async (t) => {
  const before = (await system.rows()).map(({ pid }) => pid)
  process.kill(Number(await readFile(join(system.config.pm2Home, 'pm2.pid'), 'utf8')), 'SIGKILL')
  const { code, output } = await system.cli('start')
  t.is(code, 0, output)
  t.regex(output, /PM2 is gone: waiting for what it left running to end\n/)
  t.deepEqual(before.filter(alive), [])
  t.regex((await system.cli('audit')).output, /The books balance/)
})

test.serial('its data deleted under it, MongoDB is given up, and npm run status says so', async (t) => {
  const [mongod] = await system.rows('mongod')
  await rm(system.config.dataDir, { recursive: true })
  process.kill(mongod?.pid as number, 'SIGKILL')
  await until(async () => (await system.rows('mongod'))[0]?.status === 'stopped', { what: 'MongoDB to be given up' })
  t.true(((await system.rows('mongod'))[0]?.restarts ?? 99) < 12)
  const status = await system.cli('status')
  t.is(status.code, 2, status.output)
  t.regex(status.output, /^Not running: mongod \(MongoDB is given up: its data directory .* is gone\. Mend that/m)
})

test.serial('a port that another program has is named, with its setting', async (t) => {
  const squatter = createServer().listen(0, '127.0.0.1')
  await once(squatter, 'listening')
  const { port } = squatter.address() as { port: number }
  const third = await install({ GATEWAY_PORT: String(port) })
  t.teardown(() => third.remove())
  const { code, output } = await third.cli('start')
  squatter.close()
  t.is(code, 1)
  t.regex(output, new RegExp(`GATEWAY_PORT=${port}: another program listens`))
  t.deepEqual(await third.rows(), [])
})

import test from 'ava'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { alone } from '../../cli/lib/alone.js'
import { loadConfig } from '../../config/index.js'
import { complaintOf } from '../../platform/database/server.js'

const ROOT = join(import.meta.dirname, '../..')
let home: string
test.before(async () => {
  home = await mkdtemp(join(tmpdir(), 'holdfast-cli-'))
})
test.after.always(() => rm(home, { recursive: true, force: true }))

/** Where nobody listens. */
const nowhere = () => ({
  NODE_ENV: 'test',
  MONGODB_URI: 'mongodb://someone:hunter2@127.0.0.1:1/books?replicaSet=rs',
  DATA_DIR: join(home, 'data'),
  PM2_HOME: join(home, 'pm2'),
  GATEWAY_PORT: '1',
})

function run(name: string, ...args: string[]): Promise<{ code: number; out: string; error: string }> {
  return new Promise((resolve) => {
    const env = { ...process.env, ...nowhere() }
    const child = execFile(
      process.execPath,
      ['--import=tsx', join(ROOT, 'cli', `${name}.ts`), ...args],
      { env, cwd: ROOT },
      (_error, out, error) => resolve({ code: child.exitCode ?? -1, out, error }),
    )
  })
}

test('where the database is out of reach a command says so in one sentence, where it is, and no secret', async (t) => {
  const commands = [
    ['token', '--role', 'admin'],
    ['jobs', 'list'],
    ['events', 'list'],
    ['views', 'status'],
    ['call', 'getStatus'],
    ['bookings', 'list', '--parked'],
  ] as const
  for (const [name, ...args] of commands) {
    const { code, out, error } = await run(name, ...args)
    t.is(code, 1, name)
    t.is(out, '', name)
    t.regex(error, /^MongoDB: 127\.0\.0\.1:1\/books$/m, name)
    t.regex(error, /^MongoDB is out of reach at 127\.0\.0\.1:1\/books \(.*\)\. Does the system run\?/m, name)
    t.notRegex(error, /hunter2|^ +at /m, name)
  }
})

test('npm run status tells what it can where nothing runs, with exit code 2', async (t) => {
  const { code, out } = await run('status')
  t.is(code, 2)
  t.regex(out, /^DOWN: the gateway at http:\/\/127\.0\.0\.1:1 does not answer/)
  t.regex(out, /PM2 does not run in PM2_HOME=/)
  t.regex(out, /MongoDB is out of reach at 127\.0\.0\.1:1\/books/)
})

test('npm run call lists, describes and completes operations, and names the one that was meant', async (t) => {
  const [list, shown, completion, typo, internal, noJson] = await Promise.all([
    run('call', '--list'),
    run('call', '--input', 'createCar'),
    run('call', '--completion'),
    run('call', 'createCr', '{}'),
    run('call', 'authenticate', '{}'),
    run('call', 'getCar', '{carId}'),
  ])
  t.regex(list.out, /^createBooking +Books a thing/m)
  t.notRegex(list.out, /^authenticate /m)
  t.regex(shown.out, /^pricePerHour +integer/m)
  t.regex(completion.out, /createBooking .*\ncomplete -o default -F _holdfast_call npm/)
  t.regex(typo.error, /There is no operation createCr: did you mean createCar\?/)
  t.regex(internal.error, /There is no operation authenticate/)
  t.regex(noJson.error, /The input is no JSON object: \{carId\}/)
  t.deepEqual(
    [list, shown, completion, typo, internal, noJson].map(({ code }) => code),
    [0, 0, 0, 1, 1, 1],
  )
})

test('npm run bookings says what it takes', async (t) => {
  const wrong = await Promise.all([
    run('bookings'),
    run('bookings', 'show'),
    run('bookings', 'list', '--stuck', '--parked'),
    run('bookings', 'recover', 'a', 'b'),
    run('bookings', 'show', 'a', '--stuck'),
  ])
  for (const { code, error } of wrong) {
    t.is(code, 1)
    t.regex(error, /^npm run bookings -- <what to do>/)
  }
})

test('a server that cannot carry the product is refused with what to do', (t) => {
  const now = 1_900_000_000_000
  const hello = { setName: 'rs', localTime: new Date(now + 5000) }
  t.is(complaintOf(hello, '6.0.5', now), undefined)
  t.is(complaintOf({ msg: 'isdbgrid', localTime: new Date(now) }, '8.0.1', now), undefined)
  t.regex(complaintOf({ localTime: new Date(now) }, '7.0.0', now) ?? '', /standalone.*--replSet/)
  t.regex(complaintOf(hello, '5.0.9', now) ?? '', /is 5\.0\.9: Holdfast needs 6\.0/)
  const off = { ...hello, localTime: new Date(now - 180_000) }
  t.regex(complaintOf(off, '6.0.5', now) ?? '', /clock that is 180 s behind/)
})

test('two commands on one PM2_HOME work one after the other; its directory is its owner’s alone', async (t) => {
  const config = loadConfig(nowhere())
  const said: string[] = []
  const order: string[] = []
  let entered = (): void => {}
  const first = new Promise<void>((resolve) => (entered = resolve))
  let release = (): void => {}
  const held = new Promise<void>((resolve) => (release = resolve))
  const one = alone(
    config,
    (line) => said.push(line),
    async () => {
      entered()
      await held
      order.push('one')
    },
  )
  await first
  const two = alone(
    config,
    (line) => {
      said.push(line)
      release()
    },
    () => Promise.resolve(void order.push('two')),
  )
  await Promise.all([one, two])
  t.deepEqual(order, ['one', 'two'])
  t.is(said.length, 1)
  t.regex(said[0] as string, /Another command works in PM2_HOME=.*: waiting/)
  t.is((await stat(config.pm2Home)).mode & 0o777, 0o700)
})

test('npm stop waits for the command that is at work on the same system', async (t) => {
  const config = loadConfig({ ...nowhere(), PM2_HOME: join(home, 'busy') })
  const env = { ...process.env, ...nowhere(), PM2_HOME: config.pm2Home }
  const stop = spawn(process.execPath, ['--import=tsx', 'cli/stop.ts'], { env, cwd: ROOT })
  const ended = once(stop, 'close')
  const out: string[] = []
  await alone(
    config,
    () => {},
    () =>
      new Promise<void>((resolve) =>
        createInterface({ input: stop.stdout }).on('line', (line) => {
          out.push(line)
          resolve()
        }),
      ),
  )
  t.deepEqual(await ended, [0, null])
  t.regex(out[0] ?? '', /^Another command works in PM2_HOME=.*busy: waiting for it$/)
  t.regex(out[1] ?? '', /^Nothing of ours runs under PM2/)
})

test('a PM2_HOME whose sockets would have too long a path is refused at once', async (t) => {
  const config = loadConfig({ ...nowhere(), PM2_HOME: `/tmp/${'x'.repeat(100)}` })
  await t.throwsAsync(
    alone(
      config,
      () => {},
      () => Promise.reject(new Error('must not run')),
    ),
    { message: /PM2_HOME=.* is too long.*Set a shorter one/ },
  )
})

import test from 'ava'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '../../../config/index.js'
import { ecosystem, type AppSpec } from '../../../platform/app/ecosystem.js'
import { listTree, type Located } from '../../../platform/runtime/tree.js'

let dataDir: string
test.before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'holdfast-'))
})
test.after.always(() => rm(dataDir, { recursive: true, force: true }))

const at = (domain: string, operation: string): Located => ({ domain, operation, file: '', internal: false, kinds: [] })
const TREE = [at('bookings', 'createBooking'), at('bookings', 'getBooking'), at('users', 'signIn')]

const config = (placement = '') => loadConfig({ DATA_DIR: dataDir, PLACEMENT: placement })
const MANY = { cores: 16, memoryBytes: 32 * 2 ** 30 }
const apps = (placement?: string, tree: Located[] = TREE, machine = MANY) =>
  ecosystem(config(placement), '/root', tree, machine)
const find = (list: AppSpec[], name: string) => list.find((app) => app.name === name)
const operations = (app?: AppSpec) => app?.args?.[app.args.indexOf('--operations') + 1]

test('many cores: one app a domain, two instances each, besides gateway, projections, jobs, agendash and webhooks', (t) => {
  t.deepEqual(
    apps().map(({ name, instances, exec_mode }) => [name, instances, exec_mode]),
    [
      ['bookings', 2, 'fork'],
      ['users', 2, 'fork'],
      ['gateway', 2, 'cluster'],
      ['projections', 1, 'fork'],
      ['jobs', 1, 'fork'],
      ['agendash', 1, 'fork'],
      ['webhooks', 1, 'fork'],
    ],
  )
  t.deepEqual(find(apps(), 'bookings')?.args, ['--app', 'bookings', '--operations', 'createBooking,getBooking'])
})

test('few cores or little memory: one app of all functions, one gateway worker and one app of the rest, unless PLACEMENT says otherwise', (t) => {
  for (const machine of [
    { ...MANY, cores: 2 },
    { ...MANY, memoryBytes: 2 * 2 ** 30 },
  ]) {
    const named = apps('', TREE, machine).map(({ name, instances }) => [name, instances])
    t.deepEqual(named, [
      ['functions', 1],
      ['gateway', 1],
      ['background', 1],
    ])
    t.is(find(apps('users=4', TREE, machine), 'users')?.instances, 4)
    t.is(find(apps('users=4', TREE, machine), 'functions'), undefined)
  }
})

test('the README says how many processes run', (t) => {
  const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8')
  const [, few, many] = /^\| processes, with MongoDB.*?\| (\d+) +\| (\d+) /m.exec(readme) ?? []
  const processes = (placement: string, machine = MANY) =>
    apps(placement, listTree(), machine).reduce((sum, { instances }) => sum + instances, 1)
  t.is(Number(few), processes('', { ...MANY, cores: 2 }))
  t.is(Number(many), processes('*=2'))
})

test('every operation of the real tree is hosted once', (t) => {
  const hosted = apps('createBooking=3', listTree()).flatMap((app) => operations(app)?.split(',') ?? [])
  t.deepEqual(
    hosted.sort(),
    listTree()
      .map(({ operation }) => operation)
      .sort(),
  )
})

test('placement sets the instances of a domain and gives an operation an app of its own', (t) => {
  const placed = apps('users=4,createBooking=3,gateway=1')
  t.is(find(placed, 'users')?.instances, 4)
  t.is(find(placed, 'gateway')?.instances, 1)
  t.is(find(placed, 'createBooking')?.instances, 3)
  t.is(operations(find(placed, 'createBooking')), 'createBooking')
  t.is(operations(find(placed, 'bookings')), 'getBooking')
})

test('a star stands for all domains, and the gateway, that are not named', (t) => {
  const placed = apps('*=1,users=4')
  t.deepEqual(
    ['users', 'bookings', 'gateway'].map((name) => find(placed, name)?.instances),
    [4, 1, 1],
  )
})

test('a domain whose operations are all placed has no app', (t) => {
  t.is(find(apps('signIn=1'), 'users'), undefined)
})

test('functions puts the domains that are not named into one app', (t) => {
  const tree = [...TREE, at('events', 'retryEvents')]
  const placed = apps('functions=2,users=3,createBooking=1,gateway=1', tree)
  t.deepEqual(
    placed.slice(0, 4).map(({ name, instances }) => [name, instances]),
    [
      ['createBooking', 1],
      ['functions', 2],
      ['users', 3],
      ['gateway', 1],
    ],
  )
  t.is(operations(find(placed, 'functions')), 'getBooking,retryEvents')
})

test('whatever app has the events domain delivers events; an app of its own leaves the CPU to others', (t) => {
  const tree = [...TREE, at('events', 'retryEvents')]
  const flags = (placement: string) =>
    apps(placement, tree)
      .filter(({ args }) => args?.includes('--dispatch'))
      .map(({ name, args }) => [name, args?.includes('--yield')])
  t.deepEqual(flags(''), [['events', true]])
  t.deepEqual(flags('functions=1'), [['functions', false]])
})

test('an unknown name in the placement is refused, by name', (t) => {
  t.throws(() => apps('userz=4'), { message: /"userz"/ })
})

test('a domain that would share its name with another app is refused', (t) => {
  t.throws(() => apps('', [at('jobs', 'listJobs')]), { message: /Two PM2 apps would be called jobs/ })
  t.throws(() => apps('', [at('all', 'listAll')]), { message: /called all/ }, 'PM2 takes it for every app')
})

test('PM2 kills later than a draining process needs', (t) => {
  for (const { kill_timeout } of apps()) t.true(kill_timeout > config().drainMs)
})

test('PM2 shows errored for what cannot run: no option that hides it', (t) => {
  for (const app of apps()) {
    t.false('restart_delay' in app)
    t.false('exp_backoff_restart_delay' in app)
  }
})

test('every app is given each of our settings, empty where it is not set: what was taken away does not stay', (t) => {
  const set = { DATA_DIR: dataDir, TOKEN_TTL_MS: '5000', MONGODB_URI_USERS: 'mongodb://127.0.0.1:1/u' }
  for (const { env } of ecosystem(loadConfig({ ...set, PATH: '/bin' }), '/root', TREE, MANY)) {
    t.like(env, { ...set, REDIS_URL: '', NODE_ENV: '', MONGODB_URI_BOOKINGS: '' })
    t.false('PATH' in env, 'what is not ours')
  }
})

import test, { type ExecutionContext } from 'ava'
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { users } from '../../functions/users/contract.js'
import { createDashboard } from '../../jobs/dashboard.js'
import { ensureRecurring, jobStore } from '../../jobs/store.js'
import { signToken } from '../../platform/runtime/tokens.js'
import { loadFunctions } from '../../platform/runtime/tree.js'
import { START, type TestSystem } from '../support/system.js'
import { createJobsSystem } from './jobsSystem.js'

const ADMIN = { name: 'Ada', email: 'ada@example.com', password: 'correct horse', role: 'admin' } as const
const USER = { name: 'Una', email: 'una@example.com', password: 'battery staple', role: 'user' } as const

interface Answer {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: string
}

interface Sent {
  method?: string
  headers?: Record<string, string>
  cookie?: string | undefined
  form?: Record<string, string>
  json?: unknown
}

/** agendash with one job, an admin and a user; `send` follows no redirect and sends no Origin by itself. */
async function open(t: ExecutionContext, env: Record<string, string> = {}) {
  const functions = await loadFunctions([
    'signIn',
    'signOut',
    'authenticate',
    'createUser',
    'setPassword',
    'updateUser',
  ])
  const system = await createJobsSystem(t, functions, { env, now: () => START })
  const adminId = (await system.run(users.createUser, ADMIN)).id
  const userId = (await system.run(users.createUser, USER)).id
  const store = jobStore(system.databases)
  // agendash counts and searches without an index.
  await system.databases.connection('jobs').db?.admin().command({ setParameter: 1, notablescan: false })
  await ensureRecurring(store, { name: 'recover-bookings', intervalMs: 250 }, new Date())

  const dashboard = await createDashboard(system)
  const server = createServer(dashboard.app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(async () => {
    server.close()
    server.closeAllConnections()
    await dashboard.close()
  })
  const { port } = server.address() as AddressInfo

  function send(path: string, { method, headers = {}, cookie, form, json }: Sent = {}): Promise<Answer> {
    const body = form ? new URLSearchParams(form).toString() : json === undefined ? undefined : JSON.stringify(json)
    const type = form ? 'application/x-www-form-urlencoded' : 'application/json'
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          ...{ host: '127.0.0.1', port, path, method: method ?? (body === undefined ? 'GET' : 'POST') },
          headers: { ...(body !== undefined && { 'Content-Type': type }), ...(cookie && { cookie }), ...headers },
        },
        (response) => {
          let text = ''
          response.setEncoding('utf8')
          response.on('data', (chunk: string) => (text += chunk))
          response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }))
        },
      )
      sent.on('error', reject)
      sent.end(body)
    })
  }

  const signIn = (form: Record<string, string>) => send('/sign-in', { form })
  const signedIn = async (): Promise<string> => {
    const { headers } = await signIn({ email: ADMIN.email, password: ADMIN.password })
    return headers['set-cookie']![0]!.split(';')[0]!
  }
  return { system, store, adminId, userId, port, send, signIn, signedIn }
}

const cookieWith = ({ config }: TestSystem, token: string): string => `holdfast_jobs_${config.jobsPort}=${token}`

test('without sign-in there is the sign-in page and nothing else', async (t) => {
  const { send, store } = await open(t)
  for (const path of ['/', '/index.html', '/assets/index.js']) {
    const { status, headers } = await send(path)
    t.deepEqual([status, headers.location], [303, '/sign-in'], path)
  }
  for (const path of ['/api', '/api/stats', '/api/logs', '/api/events']) t.is((await send(path)).status, 401, path)
  const jobIds = [(await store.findOne())!._id.toHexString()]
  for (const what of ['delete', 'requeue', 'retry', 'create', 'pause', 'resume'])
    t.is((await send(`/api/jobs/${what}`, { json: { jobIds, jobName: 'x' } })).status, 401, what)
  t.is(await store.countDocuments(), 1)

  const page = await send('/sign-in')
  t.is(page.status, 200)
  t.regex(page.body, /<form method="post" action="\/sign-in">/)
  t.regex(page.body, /The first one is made on the server: <code>npm run call -- createUser/)
})

test('an admin signs in and sees the jobs', async (t) => {
  const { send, signIn, signedIn } = await open(t)
  const { status, headers } = await signIn({ email: 'Ada@Example.com', password: ADMIN.password })
  t.deepEqual([status, headers.location], [303, '/'])
  t.regex(headers['set-cookie']![0]!, /; Path=\/; HttpOnly; SameSite=Strict$/)

  const cookie = await signedIn()
  t.regex((await send('/', { cookie })).body, /<title>Agendash<\/title>/)
  const { jobs } = JSON.parse((await send('/api', { cookie })).body) as { jobs: { job: { name: string } }[] }
  t.deepEqual(
    jobs.map(({ job }) => job.name),
    ['recover-bookings'],
  )
  t.is((await send('/api/stats', { cookie })).status, 200)
  t.regex((await send('/sign-in', { cookie })).headers['set-cookie']![0]!, /=; .*Expires=Thu, 01 Jan 1970/)
  t.is((await send('/api', { cookie })).status, 401, 'a copy of the cookie ends with it')
})

test('users, wrong passwords and broken forms get no cookie', async (t) => {
  const { send, signIn } = await open(t)
  const cases: [number, Record<string, string>][] = [
    [403, { email: USER.email, password: USER.password }],
    [401, { email: ADMIN.email, password: USER.password }],
    [401, { email: 'nobody@example.com', password: ADMIN.password }],
    [401, { email: 'no address', password: 'x' }],
    [401, { email: ADMIN.email, password: 'x'.repeat(1000) }],
    [400, { email: ADMIN.email }],
    [400, { 'email[$ne]': 'x', 'password[$ne]': 'x' }],
    [413, { email: ADMIN.email, password: 'x'.repeat(10_000) }],
  ]
  for (const [expected, form] of cases) {
    const { status, headers, body } = await signIn(form)
    t.is(status, expected, JSON.stringify(form).slice(0, 80))
    t.is(headers['set-cookie'], undefined)
    t.notRegex(body, /\n? {4}at |node_modules/)
  }
  t.is((await send('/sign-in', { method: 'POST' })).status, 400)
})

test('a cookie is worth what its holder is now', async (t) => {
  const { system, adminId, userId, send, signedIn } = await open(t)
  const status = async (token: string) => (await send('/api', { cookie: cookieWith(system, token) })).status
  const sign = (userId: string, secret: string, now = system.now()) =>
    signToken({ userId, role: 'admin', tokenVersion: 0 }, { ...system.config, authSecret: secret }, now)
  const { authSecret, tokenTtlMs } = system.config

  t.is(await status(await sign(adminId, authSecret)), 200)
  t.is(await status(await sign(adminId, 'another secret of at least 32 characters')), 401)
  t.is(await status(await sign(adminId, authSecret, new Date(START.getTime() - tokenTtlMs - 1000))), 401)
  t.is(await status(await sign('b'.repeat(24), authSecret)), 401)
  t.is(await status('x'), 401)
  t.is(await status(''), 401)
  // The token says admin; the user is none.
  t.is(await status(await sign(userId, authSecret)), 403)

  const cookie = await signedIn()
  t.is((await send('/api', { cookie })).status, 200)
  await system.run(users.setPassword, { userId: adminId, newPassword: 'another password' })
  t.is((await send('/api', { cookie })).status, 401)
})

test('pages of other origins and other names for this host are refused', async (t) => {
  const { port, store, send, signIn, signedIn } = await open(t)
  const cookie = await signedIn()
  const json = { jobIds: [(await store.findOne())!._id.toHexString()] }
  const remove = (headers: Record<string, string>) => send('/api/jobs/delete', { cookie, json, headers })

  for (const Origin of ['http://evil.example', `http://127.0.0.1:${port + 1}`, `https://127.0.0.1:${port}`, 'null'])
    t.is((await remove({ Origin })).status, 403, Origin)
  t.is((await remove({ Host: `evil.example:${port}` })).status, 403)
  t.is((await send('/api', { cookie, headers: { Host: 'evil.example' } })).status, 403)
  t.is(await store.countDocuments(), 1)
  t.is((await send('/sign-in', { form: ADMIN, headers: { Origin: 'http://evil.example' } })).status, 403)

  t.is((await remove({ Origin: `http://127.0.0.1:${port}` })).status, 200)
  t.is(await store.countDocuments(), 0)
  t.is((await signIn(ADMIN)).status, 303)
})

test('every answer forbids caching, framing and foreign code', async (t) => {
  const { send, signedIn } = await open(t)
  const cookie = await signedIn()
  for (const answer of [
    await send('/'),
    await send('/sign-in'),
    await send('/', { cookie }),
    await send('/api', { cookie }),
  ]) {
    t.is(answer.headers['cache-control'], 'no-store')
    t.is(answer.headers['x-frame-options'], 'DENY')
    t.regex(
      String(answer.headers['content-security-policy']),
      /^default-src 'none'; script-src 'self'; style-src 'self';/,
    )
    t.is(answer.headers['x-powered-by'], undefined)
  }
})

test('guessing is slowed down, unless limits are off', async (t) => {
  const wrong = { email: ADMIN.email, password: 'wrong' }
  const limited = await open(t)
  const statuses: number[] = []
  for (let attempt = 0; attempt < 6; attempt++) statuses.push((await limited.signIn(wrong)).status)
  t.deepEqual(statuses, [401, 401, 401, 401, 401, 429])
  t.is((await limited.signIn(ADMIN)).status, 429)
  t.is((await limited.signIn(USER)).status, 403)

  const unlimited = await open(t, { RATE_LIMIT_PER_SECOND: '0' })
  for (let attempt = 0; attempt < 6; attempt++) await unlimited.signIn(wrong)
  t.is((await unlimited.signIn(ADMIN)).status, 303)
})

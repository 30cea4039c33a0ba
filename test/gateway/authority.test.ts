import test, { type ExecutionContext } from 'ava'
import { createAuthority } from '../../gateway/authority.js'
import { createLogger } from '../../platform/lib/log.js'
import { until } from '../../proof/support/until.js'
import { newId } from './support.js'

type Role = 'user' | 'admin'

/** Who may do what by users that this test changes, and how often that was asked. */
function start(t: ExecutionContext, options: { sweepMs?: number } = {}) {
  const users = new Map<string, { role: Role; tokenVersion: number }>()
  const domain = {
    users,
    endedSessions: new Set<string | undefined>(),
    lookups: 0,
    rounds: 0,
    /** Told with each round from then on. */
    changed: [] as string[] | null,
    answers: true,
    /** Lookups wait for it. */
    gate: Promise.resolve(),
  }
  const authority = createAuthority({
    async lookUpRole({ userId, tokenVersion, sessionId }) {
      domain.lookups++
      const user = domain.endedSessions.has(sessionId) ? undefined : users.get(userId)
      await domain.gate
      return user?.tokenVersion === tokenVersion ? user.role : null
    },
    listChanges(afterMs) {
      if (!domain.answers) return Promise.reject(new Error('no answer'))
      domain.rounds++
      const changed = domain.changed?.map((userId) => ({ userId, tokenVersion: users.get(userId)?.tokenVersion ?? 0 }))
      return Promise.resolve({ afterMs: 1, changed: afterMs === 0 ? null : (changed ?? null) })
    },
    log: createLogger('gateway', 'silent'),
    now: () => new Date(),
    everyMs: 5,
    ...options,
  })
  t.teardown(() => authority.stop())

  const expiresAt = new Date(Date.now() + 3_600_000)
  function holder(role: Role = 'user') {
    const claims = { userId: newId(), tokenVersion: 1, role, expiresAt }
    users.set(claims.userId, { role, tokenVersion: 1 })
    return claims
  }
  /** Two rounds that began from here on have been heeded. */
  async function told(): Promise<void> {
    const { rounds } = domain
    await until(() => domain.rounds > rounds + 2)
  }
  function listen(claims: ReturnType<typeof holder>): string[] {
    const heard: string[] = []
    authority.watch({ claims, authorised: () => heard.push('authorised'), ended: () => heard.push('ended') })
    return heard
  }
  return { ...authority, domain, users, holder, told, listen }
}

/** The first round says that it may be anyone. */
async function warmUp({ listen, holder, told }: ReturnType<typeof start>): Promise<void> {
  listen(holder())
  await told()
}

test('a plain user is looked up once, and again when told changed', async (t) => {
  const harness = start(t)
  const { roleFor, domain, users, holder, told } = harness
  await warmUp(harness)
  const claims = holder()
  t.is(await roleFor('user', claims), 'user')
  const { lookups } = domain
  for (let i = 0; i < 5; i++) t.is(await roleFor('user', claims), 'user')
  await told()
  t.is(await roleFor('user', claims), 'user')
  t.is(domain.lookups, lookups)

  users.set(claims.userId, { role: 'user', tokenVersion: 2 })
  domain.changed = [claims.userId]
  await told()
  t.is(await roleFor('user', claims), null)
  t.is(await roleFor('user', { ...claims, tokenVersion: 2 }), 'user')
})

test('the token of a new password works at once, beside what is known of the old one', async (t) => {
  const harness = start(t)
  const { roleFor, users, holder } = harness
  await warmUp(harness)
  const claims = holder()
  t.is(await roleFor('user', claims), 'user')
  users.set(claims.userId, { role: 'user', tokenVersion: 2 })
  t.is(await roleFor('user', { ...claims, tokenVersion: 2 }), 'user')
  t.is(await roleFor('user', claims), null)
})

test('power over others is looked up each time: it ends, and begins, with the next request', async (t) => {
  const harness = start(t)
  const { roleFor, users, holder } = harness
  await warmUp(harness)
  const boss = holder('admin')
  t.is(await roleFor('user', boss), 'admin')
  users.set(boss.userId, { role: 'user', tokenVersion: 1 })
  t.is(await roleFor('user', boss), 'user')
  t.is(await roleFor('admin', boss), 'user')
  users.set(boss.userId, { role: 'admin', tokenVersion: 1 })
  t.is(await roleFor('admin', boss), 'admin')
})

test('where nobody says whose access has changed, what is known grows old, and requests look again', async (t) => {
  const harness = start(t)
  const { roleFor, domain, users, holder } = harness
  await warmUp(harness)
  const claims = holder()
  await roleFor('user', claims)
  domain.answers = false
  users.set(claims.userId, { role: 'user', tokenVersion: 2 })
  await until(async () => (await roleFor('user', claims)) === null)
  t.pass()
})

test('who changes while the lookup is under way is looked up again', async (t) => {
  const harness = start(t)
  const { roleFor, domain, users, holder, told } = harness
  await warmUp(harness)
  const claims = holder()
  let open = (): void => {}
  domain.gate = new Promise((resolve) => (open = resolve))
  const first = roleFor('user', claims)
  users.set(claims.userId, { role: 'user', tokenVersion: 2 })
  domain.changed = [claims.userId]
  await told()
  domain.changed = []
  await told()
  open()
  t.is(await first, 'user')
  t.is(await roleFor('user', claims), null)
})

test('a listener ends when it is told, when it may be anyone, and by the sweep', async (t) => {
  for (const by of ['told', 'anyone', 'sweep'] as const) {
    const harness = start(t, { sweepMs: by === 'sweep' ? 50 : 3_600_000 })
    const { domain, users, holder, told, listen } = harness
    await warmUp(harness)
    const [claims, other] = [holder(), holder()]
    const heard = listen(claims)
    const bystander = listen(other)
    await until(() => heard.length + bystander.length === 2)
    users.set(claims.userId, { role: 'user', tokenVersion: 2 })
    if (by === 'told') {
      await told()
      t.deepEqual(heard, ['authorised'])
      domain.changed = [claims.userId, other.userId]
    } else if (by === 'anyone') domain.changed = null
    await until(() => heard.length === 2)
    t.deepEqual(heard, ['authorised', 'ended'], by)
    t.deepEqual(bystander, ['authorised'], by)
  }
})

test('of two sessions of a user the one that ended works no more, and its listener ends', async (t) => {
  const harness = start(t)
  const { roleFor, domain, holder, told, listen } = harness
  await warmUp(harness)
  const claims = holder()
  const [one, other] = [
    { ...claims, sessionId: newId() },
    { ...claims, sessionId: newId() },
  ]
  const [oneHears, otherHears] = [listen(one), listen(other)]
  await until(() => oneHears.length + otherHears.length === 2)
  for (const each of [one, other]) t.is(await roleFor('user', each), 'user')
  domain.endedSessions.add(one.sessionId)
  domain.changed = [claims.userId]
  await until(() => oneHears.length === 2)
  await told()
  t.is(await roleFor('user', one), null)
  t.is(await roleFor('user', other), 'user')
  t.deepEqual([oneHears, otherHears], [['authorised', 'ended'], ['authorised']])
})

test('a listener whose first lookup failed is looked up until it begins', async (t) => {
  const { domain, holder, listen } = start(t)
  const claims = holder()
  let fail = (_: Error): void => {}
  domain.gate = new Promise((_, reject) => (fail = reject))
  const heard = listen(claims)
  fail(new Error('no answer'))
  await until(() => domain.lookups > 2)
  t.deepEqual(heard, [])
  domain.gate = Promise.resolve()
  await until(() => heard.length > 0)
  t.deepEqual(heard, ['authorised'])
})

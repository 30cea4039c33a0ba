import test from 'ava'
import { users } from '../../functions/users/contract.js'
import { User } from '../../functions/users/user.model.js'
import { verifyToken } from '../../platform/runtime/tokens.js'
import { admin, createTestSystem, HOUR_MS, START, type TestSystem } from '../support/system.js'

const NOBODY = 'ffffffffffffffffffffffff'
const ada = { email: 'Ada@Example.com', password: 'correct horse', name: 'Ada Lovelace' }

test('signing up makes a plain user with a session; signing in opens another', async (t) => {
  const system = await createTestSystem(t)
  const { user, token } = await system.run(users.signUp, ada, null)
  t.deepEqual(user, {
    id: user.id,
    name: 'Ada Lovelace',
    email: 'ada@example.com',
    role: 'user',
    balance: 0,
    bookings: [],
    pendingBookings: [],
    version: 0,
    createdAt: START.toISOString(),
    updatedAt: START.toISOString(),
  })
  const claims = await verifyToken(token, system.config, system.now())
  t.like(claims, { userId: user.id, role: 'user', tokenVersion: 0 })

  const session = await system.run(users.signIn, { email: 'ADA@example.com', password: ada.password }, null)
  t.deepEqual(session.user, user)
})

test('without a name the e-mail address gives one', async (t) => {
  const system = await createTestSystem(t)
  const { user } = await system.run(users.signUp, { email: 'bob@example.com', password: 'correct horse' }, null)
  t.is(user.name, 'bob')
})

test('wrong passwords, unknown addresses and users without a password are all the same refusal', async (t) => {
  const system = await createTestSystem(t)
  await system.run(users.signUp, ada, null)
  await system.run(users.createUser, { name: 'No Password', email: 'none@example.com' })
  const refusals = []
  for (const [email, password] of [
    [ada.email, 'wrong horse'],
    ['nobody@example.com', ada.password],
    ['none@example.com', ''],
    ['none@example.com', 'a password that no user has'],
  ] as const) {
    refusals.push((await system.refused(users.signIn, { email, password }, null)).toPublic('same'))
  }
  t.is(refusals[0]?.code, 'unauthenticated')
  for (const refusal of refusals) t.deepEqual(refusal, refusals[0])
})

test('no password is stored, nor anything that it could be guessed from faster than by argon2id', async (t) => {
  const system = await createTestSystem(t)
  const { user } = await system.run(users.signUp, ada, null)
  const stored = await system.model(User).findById(user.id).lean()
  t.regex(stored?.passwordHash ?? '', /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  t.false(JSON.stringify(stored).includes(ada.password))

  const other = await system.run(users.signUp, { ...ada, email: 'other@example.com', password: 'another one' }, null)
  const otherStored = await system.model(User).findById(other.user.id).lean()
  t.not(otherStored?.request.hash, stored?.request.hash, 'the address and the id differ')
  const canonicalAgain = await system.refused(
    users.signUp,
    { ...ada, userId: user.id, password: 'guess number 1' },
    null,
  )
  t.is(canonicalAgain.code, 'user_id_reused')
})

test('a sign-up sent twice answers a session again; anything else under its id is refused', async (t) => {
  const system = await createTestSystem(t)
  const userId = system.newId()
  const input = { ...ada, userId }
  const [first, second] = await Promise.all([
    system.run(users.signUp, input, null),
    system.run(users.signUp, { name: ada.name, password: ada.password, email: 'ada@example.COM', userId }, null),
  ])
  t.deepEqual(second.user, first.user)
  t.is((await verifyToken(second.token, system.config, system.now())).userId, userId)

  for (const [input, by] of [
    [{ ...ada, userId, name: 'Ada' }, null],
    [{ ...ada, userId, password: 'another horse' }, null],
    [
      { ...ada, userId },
      { userId: NOBODY, role: 'user' },
    ],
    [{ ...ada, userId, email: 'eve@example.com' }, null],
  ] as const) {
    t.is((await system.refused(users.signUp, input, by)).code, 'user_id_reused')
  }
  t.is((await system.refused(users.signUp, ada, null)).code, 'email_taken')
  t.is(await system.model(User).countDocuments(), 1)

  await system.run(users.setPassword, { userId, newPassword: 'a newer horse' })
  const replayed = await system.refused(users.signUp, input, null)
  t.is(replayed.code, 'user_id_reused', 'an old password opens no session')
})

test('a user created twice is one user, also after the password was changed', async (t) => {
  const system = await createTestSystem(t)
  const input = {
    userId: system.newId(),
    name: 'Carl',
    email: 'carl@example.com',
    role: 'admin',
    password: 'first one',
  } as const
  const first = await system.run(users.createUser, input)
  t.is(first.role, 'admin')
  t.deepEqual(await system.run(users.createUser, input), first)

  for (const [changed, by] of [
    [{ ...input, password: 'second one' }, admin],
    [{ ...input, role: 'user' as const }, admin],
    [{ userId: input.userId, name: 'Carl', email: 'carl@example.com', role: 'admin' as const }, admin],
    [input, { userId: NOBODY, role: 'admin' as const }],
    [input, null],
  ] as const) {
    t.is((await system.refused(users.createUser, changed, by)).code, 'user_id_reused')
  }
  t.is((await system.refused(users.createUser, { ...input, userId: NOBODY })).code, 'email_taken')

  await system.run(users.setPassword, { userId: input.userId, newPassword: 'third one' })
  t.like(await system.run(users.createUser, input), { id: first.id, version: 1 })
})

test('of two who want the same address at once, one gets it', async (t) => {
  const system = await createTestSystem(t)
  const both = await Promise.allSettled([system.run(users.signUp, ada, null), system.run(users.signUp, ada, null)])
  t.deepEqual(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
  const refused = both.find((each) => each.status === 'rejected')
  t.like(refused?.reason, { code: 'email_taken' })
})

test('one’s own e-mail address is no password, at the start or later', async (t) => {
  const system = await createTestSystem(t)
  const own = await system.refused(users.signUp, { ...ada, password: ` ${ada.email}` }, null)
  t.like(own, { code: 'invalid_input', details: { issues: [{ path: 'password' }] } })
  const { user } = await system.run(users.signUp, ada, null)
  const change = { oldPassword: ada.password, newPassword: ada.email }
  const later = await system.refused(users.changePassword, change, { userId: user.id, role: 'user' })
  t.like(later, { code: 'invalid_input', details: { issues: [{ path: 'newPassword' }] } })
  t.is((await system.refused(users.setPassword, { userId: user.id, newPassword: ada.email })).code, 'invalid_input')
  t.is((await system.run(users.signIn, { email: ada.email, password: ada.password }, null)).user.version, 0)
})

test('a new password makes older tokens stop working, and only them', async (t) => {
  const system = await createTestSystem(t)
  const { user, token } = await system.run(users.signUp, ada, null)
  const me = { userId: user.id, role: 'user' as const }
  t.is(await roleOf(system, token), 'user')

  const wrong = await system.refused(users.changePassword, { oldPassword: 'no', newPassword: 'battery staple' }, me)
  t.is(wrong.code, 'unauthenticated')
  t.is(await roleOf(system, token), 'user')

  const changed = await system.run(
    users.changePassword,
    { oldPassword: ada.password, newPassword: 'battery staple' },
    me,
  )
  t.is(changed.user.version, 1)
  t.is(await roleOf(system, token), null)
  t.is(await roleOf(system, changed.token), 'user')
  t.is((await system.refused(users.signIn, { email: ada.email, password: ada.password }, null)).code, 'unauthenticated')

  t.is((await system.run(users.setPassword, { userId: user.id, newPassword: 'set by an admin' })).version, 2)
  t.is(await roleOf(system, changed.token), null)
  const { token: newest } = await system.run(users.signIn, { email: ada.email, password: 'set by an admin' }, null)
  t.is(await roleOf(system, newest), 'user')

  t.is(
    (await system.refused(users.setPassword, { userId: NOBODY, newPassword: 'set by an admin' })).code,
    'user_not_found',
  )
  t.is((await system.refused(users.setPassword, { userId: user.id, newPassword: 'mine now' }, me)).code, 'forbidden')
  const system2 = { oldPassword: 'set by an admin', newPassword: 'nobody asks' }
  t.is((await system.refused(users.changePassword, system2, null)).code, 'unauthenticated')
})

test('of two changes of a password at once, the second must know the first', async (t) => {
  const system = await createTestSystem(t)
  const { user } = await system.run(users.signUp, ada, null)
  const me = { userId: user.id, role: 'user' as const }
  const both = await Promise.allSettled(
    ['battery staple', 'staple battery'].map((newPassword) =>
      system.run(users.changePassword, { oldPassword: ada.password, newPassword }, me),
    ),
  )
  t.deepEqual(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
  t.like(await system.model(User).findById(user.id).lean(), { tokenVersion: 1, version: 1 })
})

test('whose access has changed is told from an earlier answer on: roles and passwords, nothing else', async (t) => {
  const system = await createTestSystem(t)
  const list = (afterMs: number) => system.run(users.listAccessChanges, { afterMs }, null)
  t.deepEqual(await list(0), { afterMs: 1, changed: null })
  t.deepEqual(await list(1), { afterMs: 1, changed: [] })

  const [reader, boss, ada] = [await system.makeUser(), await system.makeUser(), await system.makeUser()]
  const { userId } = reader
  await system.run(users.updateUser, { userId, version: 0, set: { name: 'Renamed', email: 'renamed@example.com' } })
  t.deepEqual(await list(1), { afterMs: 1, changed: [] })

  await system.run(users.updateUser, { userId: boss.userId, version: 0, set: { role: 'admin' } })
  const { db } = system.databases.connection('users')
  await db?.command({ profile: 2 })
  const first = await list(1)
  await db?.command({ profile: 0 })
  t.deepEqual(first.changed, [{ userId: boss.userId, tokenVersion: 0 }])
  const find = await db?.collection('system.profile').findOne({ op: 'query', ns: /\.users$/ })
  t.like(find, { planSummary: 'IXSCAN { accessChangedAt: 1 }', docsExamined: 1 })

  await system.run(users.setPassword, { userId: ada.userId, newPassword: 'set by an admin' })
  const second = await list(first.afterMs)
  t.true(second.afterMs >= first.afterMs)
  // What was told a moment ago is told again.
  t.deepEqual(second.changed, [
    { userId: ada.userId, tokenVersion: 1 },
    { userId: boss.userId, tokenVersion: 0 },
  ])
  t.deepEqual(await list(second.afterMs + 20_000), { afterMs: second.afterMs + 20_000, changed: [] })
  t.is((await list(0)).changed, null)
})

test('authenticate answers the present role of each token, in order', async (t) => {
  const system = await createTestSystem(t)
  const { userId } = await system.makeUser()
  const boss = await system.makeUser({ role: 'admin' })
  const tokens = [
    { userId, tokenVersion: 0 },
    { userId: NOBODY, tokenVersion: 0 },
    { userId: boss.userId, tokenVersion: 0 },
    { userId, tokenVersion: 1 },
    { userId, tokenVersion: 0 },
  ]
  t.deepEqual(await system.run(users.authenticate, { tokens }, null), { roles: ['user', null, 'admin', null, 'user'] })
  await system.run(users.updateUser, { userId, version: 0, set: { role: 'admin' } })
  t.like(await system.run(users.authenticate, { tokens }, null), { roles: ['admin', null, 'admin', null, 'admin'] })
  t.deepEqual(await system.run(users.authenticate, { tokens: [] }, null), { roles: [] })
})

test('users see themselves, admins anyone; others are not found', async (t) => {
  const system = await createTestSystem(t)
  const one = await system.makeUser()
  const other = await system.makeUser()
  t.is((await system.run(users.getUser, { userId: one.userId }, one)).id, one.userId)
  t.is((await system.run(users.getUser, { userId: one.userId })).id, one.userId)
  const hidden = await system.refused(users.getUser, { userId: other.userId }, one)
  const missing = await system.refused(users.getUser, { userId: NOBODY }, one)
  t.is(hidden.code, 'user_not_found')
  t.is(hidden.message.replace(other.userId, NOBODY), missing.message)
  t.is((await system.refused(users.getUser, { userId: NOBODY })).code, 'user_not_found')
})

/** From the most to the least broken request: each row mends one defect of the row before, so it shows which comes first. */
test('the errors of updateUser come in the documented order', async (t) => {
  const system = await createTestSystem(t)
  const { user } = await system.run(users.signUp, ada, null)
  await system.run(users.createUser, { name: 'Taken', email: 'taken@example.com' })
  const me = { userId: user.id, role: 'user' as const }
  const base = { userId: user.id, version: 7, set: { email: 'taken@example.com' } }
  const rows = [
    ['user_not_found', { ...base, userId: NOBODY, set: { ...base.set, role: 'admin' } }],
    ['forbidden', { ...base, set: { ...base.set, role: 'admin' } }],
    ['forbidden', base],
    ['version_conflict', base, admin],
    ['email_taken', { ...base, version: 0 }, admin],
  ] as const
  for (const [code, input, by = me] of rows) t.is((await system.refused(users.updateUser, input, by)).code, code)

  const good = { ...base, version: 0, set: { email: 'New@example.com', name: 'Countess' } }
  t.like(await system.run(users.updateUser, good), { email: 'new@example.com', name: 'Countess', version: 1 })
  t.deepEqual((await system.refused(users.updateUser, good)).details, { version: 1 })
  t.like(await system.run(users.updateUser, { ...base, version: 1, set: { name: 'Ada' } }, me), { version: 2 })
})

test('admins change names, addresses and roles of others; their own address is changed by mail', async (t) => {
  const system = await createTestSystem(t)
  const { userId } = await system.makeUser()
  const set = { name: 'Renamed', email: 'renamed@example.com', role: 'admin' } as const
  t.like(await system.run(users.updateUser, { userId, version: 0, set }), { ...set, version: 1 })
  const promoted = { userId, role: 'admin' } as const
  const own = { userId, version: 1, set: { email: 'again@example.com' } }
  t.is((await system.refused(users.updateUser, own, promoted)).code, 'forbidden')
  t.is((await system.refused(users.updateUser, { userId: NOBODY, version: 0, set })).code, 'user_not_found')
})

test('of two updates of one version, one wins', async (t) => {
  const system = await createTestSystem(t)
  const { userId } = await system.makeUser()
  const both = await Promise.allSettled(
    ['one', 'two'].map((name) => system.run(users.updateUser, { userId, version: 0, set: { name } })),
  )
  t.deepEqual(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
  t.like(both.find((each) => each.status === 'rejected')?.reason, { code: 'version_conflict', details: { version: 1 } })
})

test('a list of users goes on where its page ended, oldest first, whoever comes in between', async (t) => {
  const system = await createTestSystem(t)
  const made: string[] = []
  for (let i = 0; i < 7; i++) {
    // Pairs of the same millisecond: their ids order them.
    if (i % 2 === 0) system.clock.advance(HOUR_MS)
    made.push((await system.makeUser()).userId)
  }
  const seen: string[] = []
  let cursor: string | null = null
  do {
    const page: { items: { id: string }[]; nextCursor: string | null } = await system.run(users.listUsers, {
      limit: 3,
      ...(cursor !== null && { cursor }),
    })
    seen.push(...page.items.map(({ id }) => id))
    if (cursor === null) {
      system.clock.advance(HOUR_MS)
      made.push((await system.makeUser()).userId)
    }
    cursor = page.nextCursor
  } while (cursor !== null)
  t.deepEqual(seen, made)
  for (const broken of [
    'x',
    '',
    encode('x'),
    encode([1]),
    encode([1, NOBODY, 1]),
    encode([1, { $gt: '' }]),
    encode(null),
  ]) {
    const { code, details } = await system.refused(users.listUsers, { cursor: broken })
    t.is(code, 'invalid_input')
    t.like(details, { issues: [{ path: 'cursor' }] })
  }
})

test('users are found by the beginning of name or address, whatever the case', async (t) => {
  const system = await createTestSystem(t)
  const make = (name: string, email: string) => system.run(users.createUser, { name, email })
  await make('Ada Lovelace', 'countess@example.com')
  await make('Bob', 'ada.b@example.com')
  await make('Madam', 'm@example.com')
  await make('A.a', 'dots@example.com')
  await make('Ångström', 'units@example.com')
  const names = async (query: string) => (await system.run(users.listUsers, { query })).items.map(({ name }) => name)
  t.deepEqual(await names('ADA'), ['Ada Lovelace', 'Bob'])
  t.deepEqual(await names('ada l'), ['Ada Lovelace'])
  t.deepEqual(await names('.'), [])
  t.deepEqual(await names('a.'), ['A.a'])
  t.deepEqual(await names('ån'), ['Ångström'])
  t.deepEqual(await names('^'), [])
  const first = await system.run(users.listUsers, { query: 'a', limit: 1 })
  t.deepEqual(
    first.items.map(({ name }) => name),
    ['Ada Lovelace'],
  )
  const rest = await system.run(users.listUsers, { query: 'a', cursor: first.nextCursor ?? '' })
  t.deepEqual(
    rest.items.map(({ name }) => name),
    ['Bob', 'A.a'],
  )

  const { id } = (await system.run(users.listUsers, { query: 'madam' })).items[0] ?? { id: '' }
  await system.run(users.updateUser, { userId: id, version: 0, set: { name: 'Sir' } })
  t.deepEqual(await names('mad'), [])
  t.deepEqual(await names('si'), ['Sir'])
})

test('lists of users use an index, with and without a query', async (t) => {
  const system = await createTestSystem(t)
  for (let i = 0; i < 20; i++) await system.makeUser()
  const { db } = system.databases.connection('users')
  await db?.command({ profile: 2 })
  await system.run(users.listUsers, { limit: 3 })
  await system.run(users.listUsers, { limit: 3, query: 'admin 1' })
  await db?.command({ profile: 0 })
  const finds = await db
    ?.collection('system.profile')
    .find({ op: 'query', ns: /\.users$/ })
    .sort({ ts: 1 })
    .toArray()
  t.is(finds?.length, 2)
  t.like(finds?.[0], { docsExamined: 4, hasSortStage: undefined })
  for (const find of finds ?? []) t.false(String(find['planSummary']).includes('COLLSCAN'), String(find['planSummary']))
})

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

async function roleOf(system: TestSystem, token: string): Promise<string | null> {
  const { userId, tokenVersion, sessionId = '' } = await verifyToken(token, system.config, system.now())
  const { roles } = await system.run(users.authenticate, { tokens: [{ userId, tokenVersion, sessionId }] }, null)
  return roles[0] ?? null
}

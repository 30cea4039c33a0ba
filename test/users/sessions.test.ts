import test from 'ava'
import { users } from '../../functions/users/contract.js'
import { readRefreshToken, writeRefreshToken } from '../../functions/users/refreshToken.rules.js'
import { Session, type SessionDocument } from '../../functions/users/session.model.js'
import type { Caller } from '../../platform/contract/caller.js'
import { secretHashOf } from '../../platform/contract/apiKeys.js'
import type { Output } from '../../platform/contract/contract.js'
import { verifyToken } from '../../platform/runtime/tokens.js'
import { createTestSystem, HOUR_MS, type TestSystem } from '../support/system.js'

const ada = { email: 'ada@example.com', password: 'correct horse', name: 'Ada' }
const { password } = ada
const MINUTE_MS = 60_000
const DAY_MS = 24 * HOUR_MS

type Signed = Output<typeof users.signIn>

const signUp = (system: TestSystem): Promise<Signed> => system.run(users.signUp, { ...ada, device: 'laptop' }, null)
const signIn = (system: TestSystem, device?: string, address = '10.0.0.1'): Promise<Signed> =>
  system.call(
    users.signIn,
    { email: ada.email, password, ...(device !== undefined && { device }) },
    { caller: null, requestId: 'r', address },
  )
const refresh = (system: TestSystem, { refreshToken }: Signed, refreshId = system.newId()): Promise<Signed> =>
  system.run(users.refreshSession, { refreshToken, refreshId }, null)
const refused = async (system: TestSystem, { refreshToken }: Signed, refreshId = system.newId()): Promise<string> =>
  (await system.refused(users.refreshSession, { refreshToken, refreshId }, null)).code

const asCaller = ({ user, sessionId }: Signed): Caller => ({ userId: user.id, role: 'user', sessionId })

/** Whether a token works, as the gateway asks. */
async function works(system: TestSystem, { token }: Signed): Promise<boolean> {
  const claims = await verifyToken(token, system.config, system.now()).catch(() => undefined)
  if (!claims) return false
  const { userId, tokenVersion, sessionId = '' } = claims
  const { roles } = await system.run(users.authenticate, { tokens: [{ userId, tokenVersion, sessionId }] }, null)
  return roles[0] === 'user'
}

test('a session goes on by refreshing, each refresh token once', async (t) => {
  const system = await createTestSystem(t)
  const first = await signUp(system)
  t.is(first.tokenExpiresAt, new Date(system.now().getTime() + 15 * MINUTE_MS).toISOString())
  t.true(await works(system, first))
  system.clock.advance(15 * MINUTE_MS)
  t.false(await works(system, first), 'a token is short')

  const second = await refresh(system, first)
  t.deepEqual(second.user, first.user)
  t.is(second.sessionId, first.sessionId)
  t.not(second.refreshToken, first.refreshToken)
  t.true(await works(system, second))
  const third = await refresh(system, second)
  t.true(await works(system, third))
  t.is(await system.model(Session).countDocuments(), 1)
})

test('whoever uses a refresh token that was used before ends the session for everybody who has it', async (t) => {
  const system = await createTestSystem(t)
  const first = await signUp(system)
  const other = await signIn(system)
  const second = await refresh(system, first)
  const third = await refresh(system, second)
  t.is(await refused(system, first), 'unauthenticated')
  t.is(await refused(system, third), 'unauthenticated')
  for (const each of [first, second, third]) t.false(await works(system, each))
  t.true(await works(system, other), 'another session goes on')
  t.true(system.logs.some(({ msg }) => msg === 'a refresh token was used twice: its session is ended'))
})

test('a lost answer is answered again, by any process and however late, until its token was used', async (t) => {
  const system = await createTestSystem(t)
  const beside = await createTestSystem(t, { beside: system })
  const first = await signUp(system)
  const refreshId = system.newId()
  const [answer, ...same] = await Promise.all([
    refresh(system, first, refreshId),
    refresh(beside, first, refreshId),
    refresh(system, first, refreshId),
  ])
  for (const { refreshToken } of same) t.is(refreshToken, answer.refreshToken)
  system.clock.advance(29 * DAY_MS)
  const late = await refresh(beside, first, refreshId)
  t.is(late.refreshToken, answer.refreshToken)
  t.true(await works(system, late))

  const next = await refresh(system, late)
  t.true(await works(system, next))
  t.is(await refused(system, first, refreshId), 'unauthenticated', 'its token was used: this is a copy')
  t.false(await works(system, next))
})

test('of two who use one token at once, one gets the next, and the session ends', async (t) => {
  const system = await createTestSystem(t)
  const first = await signUp(system)
  const both = await Promise.allSettled([refresh(system, first), refresh(system, first)])
  t.deepEqual(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
  t.is(await system.model(Session).countDocuments(), 0)
})

test('a refresh that lands late, after another one, changes nothing', async (t) => {
  const system = await createTestSystem(t)
  const first = await signUp(system)
  const second = await refresh(system, first)
  const stored = await system.model(Session).findById(first.sessionId).lean()
  const { secret } = readRefreshToken(first.refreshToken)
  const late = await system
    .model(Session)
    .updateOne({ _id: first.sessionId, secretHash: secretHashOf(secret) }, { $set: { secretHash: 'late' } })
  t.is(late.modifiedCount, 0)
  t.deepEqual(await system.model(Session).findById(first.sessionId).lean(), stored)
  t.true(await works(system, await refresh(system, second)))
})

test('a refresh token that nobody gave out ends no session', async (t) => {
  const system = await createTestSystem(t)
  const first = await signUp(system)
  const { sessionId, secret, mark } = readRefreshToken(first.refreshToken)
  const forged = [
    `hfr.${sessionId}.${'A'.repeat(43)}.${mark}`,
    writeRefreshToken(
      { authSecret: 'another secret, of another system', authSecretAlso: '' },
      sessionId,
      'B'.repeat(43),
    ),
    `hfr.${'f'.repeat(24)}.${secret}.${mark}`,
  ]
  for (const refreshToken of forged) t.is(await refused(system, { ...first, refreshToken }), 'unauthenticated')
  for (const refreshToken of ['', first.token, `${first.refreshToken}x`, 'hfr.a.b.c'])
    t.is(await refused(system, { ...first, refreshToken }), 'invalid_input')
  t.true(await works(system, await refresh(system, first)))
})

test('no secret of a session is stored', async (t) => {
  const system = await createTestSystem(t)
  const signed = await refresh(system, await signUp(system))
  const stored = JSON.stringify(await system.model(Session).find({}, {}, { hint: '_id_' }).lean())
  t.false(stored.includes(readRefreshToken(signed.refreshToken).secret))
  t.true(stored.includes(secretHashOf(readRefreshToken(signed.refreshToken).secret)))
})

test('refresh tokens outlive a change of AUTH_SECRET, and a lost answer the moment of the change', async (t) => {
  const system = await createTestSystem(t)
  const old = system.config.authSecret
  const fresh = 'the next secret, of thirty-two characters and more'
  const changed = await createTestSystem(t, { beside: system, env: { AUTH_SECRET: fresh, AUTH_SECRET_ALSO: old } })
  const without = await createTestSystem(t, { beside: system, env: { AUTH_SECRET: fresh } })
  const first = await signUp(system)
  const refreshId = system.newId()
  const second = await refresh(system, first, refreshId)
  t.is(readRefreshToken((await refresh(changed, first, refreshId)).refreshToken).secret, secretOf(second))
  t.true(await works(without, await refresh(without, second)))
})
const secretOf = ({ refreshToken }: Signed): string => readRefreshToken(refreshToken).secret

test('a session that nobody refreshes ends, as do those of a changed password', async (t) => {
  const system = await createTestSystem(t)
  const signed = await signUp(system)
  system.clock.advance(29 * DAY_MS)
  const kept = await refresh(system, signed)
  system.clock.advance(29 * DAY_MS)
  const last = await refresh(system, kept)
  const old = await signIn(system)
  const change = { oldPassword: password, newPassword: 'battery staple' }
  const changed = await system.run(users.changePassword, change, asCaller(last))
  for (const each of [last, old]) t.is(await refused(system, each), 'unauthenticated')
  t.true(await works(system, changed))
  system.clock.advance(30 * DAY_MS)
  t.is(await refused(system, changed), 'unauthenticated')
})

test('users list their sessions, with when and from where, and end them one by one', async (t) => {
  const system = await createTestSystem(t)
  const laptop = await signUp(system)
  system.clock.advance(HOUR_MS)
  const phone = await signIn(system, 'phone', '203.0.113.7')
  const nameless = await signIn(system)
  const me = asCaller(phone)
  const { items } = await system.run(users.listSessions, { userId: me.userId }, me)
  const at = (hours: number) => new Date(system.now().getTime() + hours * HOUR_MS).toISOString()
  t.deepEqual(
    items.map(({ id: _id, ...rest }) => rest),
    [
      { network: '10.0.0.1', createdAt: at(0), lastUsedAt: at(0), expiresAt: at(720), current: false },
      {
        device: 'phone',
        network: '203.0.113.7',
        createdAt: at(0),
        lastUsedAt: at(0),
        expiresAt: at(720),
        current: true,
      },
      { device: 'laptop', createdAt: at(-1), lastUsedAt: at(-1), expiresAt: at(719), current: false },
    ],
  )
  t.deepEqual(
    items.map(({ id }) => id),
    [nameless, phone, laptop].map(({ sessionId }) => sessionId),
  )
  const paged = await system.run(users.listSessions, { userId: me.userId, limit: 2 }, me)
  const rest = await system.run(users.listSessions, { userId: me.userId, cursor: paged.nextCursor ?? '' }, me)
  t.deepEqual([...paged.items, ...rest.items], items)

  await system.run(users.revokeSession, { sessionId: laptop.sessionId }, me)
  t.is((await system.refused(users.revokeSession, { sessionId: laptop.sessionId }, me)).code, 'session_not_found')
  t.false(await works(system, laptop))
  t.is(await refused(system, laptop), 'unauthenticated')
  await system.run(users.signOut, {}, me)
  await system.run(users.signOut, {}, me)
  t.false(await works(system, phone))
  t.true(await works(system, nameless))

  const other = await system.makeUser()
  t.is((await system.refused(users.listSessions, { userId: me.userId }, other)).code, 'user_not_found')
  t.is((await system.refused(users.listSessions, { userId: 'f'.repeat(24) })).code, 'user_not_found')
  t.is((await system.refused(users.revokeSession, { sessionId: nameless.sessionId }, other)).code, 'session_not_found')
  t.is((await system.refused(users.signOut, {}, other)).code, 'session_not_found', 'a token of no session')
  t.is((await system.refused(users.signOutEverywhere, { userId: me.userId }, other)).code, 'user_not_found')
  t.true(await works(system, nameless))
  await system.run(users.revokeSession, { sessionId: nameless.sessionId })
  t.false(await works(system, nameless), 'an admin ends anybody’s')
})

test('signing out everywhere ends every token; signing in begins anew', async (t) => {
  const system = await createTestSystem(t)
  const signed = [await signUp(system), await signIn(system), await signIn(system)] as const
  const me = asCaller(signed[0])
  await system.run(users.signOutEverywhere, { userId: me.userId }, me)
  for (const each of signed) {
    t.false(await works(system, each))
    t.is(await refused(system, each), 'unauthenticated')
  }
  t.is(await system.model(Session).countDocuments(), 0)
  const again = await signIn(system)
  t.true(await works(system, again))
  const { items } = await system.run(users.listSessions, { userId: me.userId }, me)
  t.deepEqual(
    items.map(({ id }) => id),
    [again.sessionId],
  )
  await system.run(users.signOutEverywhere, { userId: me.userId })
  t.false(await works(system, again), 'an admin signs out anybody')
})

test('a session that is stored late, after everything was signed out, never works', async (t) => {
  const system = await createTestSystem(t)
  const signed = await signUp(system)
  const late = (await system.model(Session).findById(signed.sessionId).lean()) as SessionDocument
  const me = asCaller(signed)
  await system.run(users.signOutEverywhere, { userId: me.userId }, me)
  await system.model(Session).create(late)
  t.false(await works(system, signed))
  t.is(await refused(system, signed), 'unauthenticated')
  t.deepEqual((await system.run(users.listSessions, { userId: me.userId }, me)).items, [])
})

test('a user has fifty sessions at most: one more ends the one that was used longest ago', async (t) => {
  const system = await createTestSystem(t)
  const oldest = await signUp(system)
  system.clock.advance(MINUTE_MS)
  const stored = (await system.model(Session).findById(oldest.sessionId).lean()) as SessionDocument
  await system
    .model(Session)
    .insertMany(Array.from({ length: 49 }, () => ({ ...stored, _id: system.newId(), lastUsedAt: system.now() })))
  const newest = await signIn(system)
  t.is(await system.model(Session).countDocuments(), 50)
  t.false(await works(system, oldest))
  t.true(await works(system, newest))
})

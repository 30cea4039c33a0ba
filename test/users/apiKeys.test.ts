import test from 'ava'
import { ApiKey } from '../../functions/users/apiKey.model.js'
import { SCOPED_DOMAINS, users } from '../../functions/users/contract.js'
import { coveredBy, readApiKey } from '../../platform/contract/apiKeys.js'
import { loadContracts } from '../../platform/runtime/tree.js'
import { admin, createTestSystem, HOUR_MS, type TestSystem } from '../support/system.js'

const scopes = ['bookings:write', 'users:read'] as const

/** Whom a key opens the gateway for. */
const open = async (system: TestSystem, key: string) => {
  const given = readApiKey(key)
  return given && (await system.run(users.openApiKey, given, null)).holder
}

test('an admin makes a key that is shown once: it acts as its user, within its scopes, until it is revoked', async (t) => {
  const system = await createTestSystem(t)
  const { userId } = await system.makeUser({ role: 'admin' })
  const { apiKey, key } = await system.run(users.createApiKey, { name: 'shop', userId, scopes: [...scopes] })
  const { id: apiKeyId } = apiKey
  t.like(apiKey, { userId, name: 'shop', createdAt: system.now().toISOString() })
  t.false('lastUsedAt' in apiKey)
  t.deepEqual(await open(system, key), { userId, role: 'admin', scopes: [...scopes] })

  const tokens = [{ userId, tokenVersion: 0, apiKeyId }]
  t.deepEqual(await system.run(users.authenticate, { tokens }, null), { roles: ['admin'] })
  await system.run(users.updateUser, { userId, version: 0, set: { role: 'user' } })
  t.deepEqual(await system.run(users.authenticate, { tokens }, null), { roles: ['user'] }, 'the role of its user')
  await system.run(users.setPassword, { userId, newPassword: 'another password' })
  t.deepEqual(await system.run(users.authenticate, { tokens }, null), { roles: ['user'] }, 'outlives passwords')

  system.clock.advance(HOUR_MS)
  await open(system, key)
  const { items } = await system.run(users.listApiKeys, {})
  t.deepEqual(items, [{ ...apiKey, lastUsedAt: system.now().toISOString() }])
  const shown = JSON.stringify([items, await system.model(ApiKey).find({}, {}, { hint: '_id_' }).lean()])
  t.false(shown.includes(key.split('.')[2] as string), 'its secret is not stored')

  const revoked = await system.run(users.revokeApiKey, { apiKeyId })
  t.is(revoked.revokedAt, system.now().toISOString())
  system.clock.advance(HOUR_MS)
  t.deepEqual(await system.run(users.revokeApiKey, { apiKeyId }), revoked)
  t.is(await open(system, key), null)
  t.deepEqual(await system.run(users.authenticate, { tokens }, null), { roles: [null] })
  t.is((await system.refused(users.revokeApiKey, { apiKeyId: 'f'.repeat(24) })).code, 'api_key_not_found')
})

test('a lost answer costs no key: the same request shows another secret, until the key is used', async (t) => {
  const system = await createTestSystem(t)
  const { userId } = await system.makeUser()
  const input = { apiKeyId: system.newId(), name: 'shop', userId, scopes: [...scopes] }
  const lost = await system.run(users.createApiKey, input)
  const shown = await system.run(users.createApiKey, input)
  t.deepEqual(shown.apiKey, lost.apiKey)
  t.is(await open(system, lost.key), null)
  t.truthy(await open(system, shown.key))
  t.is((await system.refused(users.createApiKey, input)).code, 'api_key_id_reused', 'it is in use')
  t.truthy(await open(system, shown.key))
  t.is((await system.refused(users.createApiKey, { ...input, name: 'other' })).code, 'api_key_id_reused')
})

test('keys expire; wrong ones open nothing, and only admins make them', async (t) => {
  const system = await createTestSystem(t)
  const user = await system.makeUser()
  const { userId } = user
  const expiresAt = new Date(system.now().getTime() + HOUR_MS).toISOString()
  const { key } = await system.run(users.createApiKey, { name: 'shop', userId, scopes: [...scopes], expiresAt })
  t.like(await open(system, key), { expiresAt })
  t.is(await open(system, `${key.slice(0, -1)}${key.endsWith('A') ? 'B' : 'A'}`), null)
  t.is(await open(system, key.replace(/^hfk\.[0-9a-f]{24}/, `hfk.${'f'.repeat(24)}`)), null)
  system.clock.advance(HOUR_MS)
  t.is(await open(system, key), null)

  const input = { name: 'shop', userId, scopes: [...scopes] }
  t.is((await system.refused(users.createApiKey, input, user)).code, 'forbidden')
  t.is((await system.refused(users.createApiKey, { ...input, userId: 'f'.repeat(24) })).code, 'user_not_found')
  t.is((await system.refused(users.createApiKey, { name: 'shop', scopes: [...scopes] }, null)).code, 'invalid_input')
})

test('a key that may write users makes no admins, and gets no admin’s address', async (t) => {
  const system = await createTestSystem(t)
  const boss = await system.makeUser({ role: 'admin' })
  const plain = await system.makeUser()
  const byKey = { ...admin, apiKeyId: 'f'.repeat(24) }
  const make = { name: 'Eve', email: 'eve@example.com', role: 'admin' as const }
  t.is((await system.refused(users.createUser, make, byKey)).code, 'forbidden')
  for (const [userId, set] of [
    [plain.userId, { role: 'admin' as const }],
    [boss.userId, { email: 'eve@example.com' }],
  ] as const)
    t.is((await system.refused(users.updateUser, { userId, version: 0, set }, byKey)).code, 'forbidden')
  await system.run(users.updateUser, { userId: plain.userId, version: 0, set: { email: 'bob@example.com' } }, byKey)
})

test('scopes cover what they say: reading is what operations say of themselves, by their name; writing is all', async (t) => {
  const open = [...(await loadContracts()).values()].filter(({ access }) => access !== 'internal')
  const domains = new Set([...open.map(({ domain }) => domain), 'feeds'])
  t.deepEqual([...SCOPED_DOMAINS], [...domains].sort())
  for (const { name, reads = false } of open) t.is(reads, /^(get|list|export|trace|audit)/.test(name), name)
  for (const operation of open) {
    const { domain, reads = false, personal = false, name } = operation
    t.is(coveredBy([`${domain}:read`], operation), reads && !personal, name)
    t.is(coveredBy([`${domain}:write`], operation), !personal, name)
    const others = SCOPED_DOMAINS.filter((each) => each !== domain).map((each) => `${each}:write`)
    t.false(coveredBy(others, operation), name)
  }
  const personal = open.filter((each) => each.personal).map(({ name }) => name)
  const waysIn = open.filter(
    ({ name, access }) => access !== 'anyone' && /Password$|Session|ApiKey|signOut|Email/.test(name),
  )
  t.deepEqual(
    personal,
    waysIn.map(({ name }) => name),
  )
})

import test from 'ava'
import { platform } from '../../functions/platform/contract.js'
import { listTree, loadFunctions } from '../../platform/runtime/tree.js'
import { createTestSystem } from '../support/system.js'
import { createDoor } from '../support/door.js'
import { sharedMongod } from '../support/mongod.js'
import { until } from '../../proof/support/until.js'

test('OK, when every function has an instance and every database answers', async (t) => {
  const system = await createTestSystem(t)
  const status = await system.run(platform.getStatus, {}, null)
  t.is(status.status, 'OK')
  t.is(status.message, 'Every function answers.')
  t.regex(status.version, /^\d+\.\d+\.\d+/)
  t.deepEqual(
    status.functions,
    listTree().map(({ operation }) => ({ name: operation, instances: 1 })),
  )
})

test('with a domain only that; an unknown one is invalid_input', async (t) => {
  const system = await createTestSystem(t)
  const { functions } = await system.run(platform.getStatus, { domain: 'platform' }, null)
  t.deepEqual(functions, [
    { name: 'getStatus', instances: 1 },
    { name: 'reportTrouble', instances: 1 },
    { name: 'shareUse', instances: 1 },
  ])
  const refusal = await system.refused(platform.getStatus, { domain: '__proto__' }, null)
  t.is(refusal.code, 'invalid_input')
})

test('DEGRADED, naming the functions without an instance; DOWN, when a domain has none', async (t) => {
  const functions = (await loadFunctions()).filter(({ operation }) => operation.name !== 'getCar')
  const most = await createTestSystem(t, { functions })
  const status = await most.run(platform.getStatus, {}, null)
  t.is(status.status, 'DEGRADED')
  t.is(status.message, 'No instance of getCar.')
  t.is((await most.run(platform.getStatus, { domain: 'users' }, null)).status, 'OK')

  const alone = await createTestSystem(t, { functions: await loadFunctions(['getStatus']) })
  t.is((await alone.run(platform.getStatus, {}, null)).status, 'DOWN')
})

test('DEGRADED, when the database of one domain does not answer; DOWN, when asked for that domain', async (t) => {
  const door = await createDoor(t, (await sharedMongod()).uri())
  await door.open()
  const system = await createTestSystem(t, { env: { MONGODB_URI_USERS: door.uri } })
  t.teardown(() => door.open())
  const status = async (domain?: string) => system.run(platform.getStatus, domain ? { domain } : {}, null)
  t.is((await status()).status, 'OK')

  await door.shut()
  await until(async () => (await status()).status === 'DEGRADED')
  t.regex((await status()).message, /The database of users does not answer/)
  const { checks } = await status('users')
  t.deepEqual(checks, [{ domain: 'users', name: 'database', ok: false, detail: 'answers 0 of 1 processes' }])
  t.is((await status('users')).status, 'DOWN')
  t.is((await status('bookings')).status, 'OK')

  await door.open()
  await until(async () => (await status()).status === 'OK')
})

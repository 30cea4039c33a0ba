import test from 'ava'
import { users } from '../../functions/users/contract.js'
import { createTestSystem } from '../support/system.js'

/** What other domains ask of users. */

test('findExistingUsers tells which of some users there are', async (t) => {
  const system = await createTestSystem(t)
  const { userId } = await system.makeUser()
  const { existing } = await system.run(users.findExistingUsers, { userIds: [userId, system.newId()] }, null)
  t.deepEqual(existing, [userId])
})

test('listAdminIds tells the admins alone', async (t) => {
  const system = await createTestSystem(t)
  const { userId } = await system.makeUser()
  t.deepEqual(await system.run(users.listAdminIds, {}, null), { userIds: [] })
  const { version } = await system.run(users.getUser, { userId })
  await system.run(users.updateUser, { userId, version, set: { role: 'admin' } })
  t.deepEqual(await system.run(users.listAdminIds, {}, null), { userIds: [userId] })
})

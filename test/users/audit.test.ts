import test from 'ava'
import mongoose from 'mongoose'
import { users } from '../../functions/users/contract.js'
import { archiveLedger } from '../../functions/users/ledger.changes.js'
import { Ledger } from '../../functions/users/ledger.model.js'
import { Deposit, Withdrawal } from '../../functions/users/transfer.model.js'
import { User } from '../../functions/users/user.model.js'
import { long } from '../../platform/database/long.js'
import { createTestSystem, type TestSystem } from '../support/system.js'

const { ObjectId } = mongoose.Types

const audit = async (system: TestSystem, userId: string) => {
  const { items } = await system.run(users.auditUsers, { userIds: [userId] }, null)
  return items[0]?.violations ?? []
}

/** Each breaks one rule of sound books behind the system's back, and is found. */
const DEFECTS: [name: string, expected: RegExp, tamper: (system: TestSystem, userId: string) => Promise<unknown>][] = [
  [
    'a balance that moved without an entry',
    /^the balance is 2081, the ledger adds up to 2080$/,
    (system, userId) => system.model(User).updateOne({ _id: userId }, { $inc: { balance: long(1) } }),
  ],
  [
    'an archived entry that is gone',
    /^\d+ ledger entries were archived, \d+ are there, up to number \d+$/,
    (system, userId) => system.model(Ledger).deleteOne({ _id: `${userId}:3` }),
  ],
  [
    'an archived entry that says something else',
    /^the archived ledger adds up to 538, not to 528$/,
    (system, userId) => system.model(Ledger).updateOne({ _id: `${userId}:3` }, { $inc: { change: long(10) } }),
  ],
  [
    'a COMMITTED deposit without an entry',
    /^deposit f{24} is COMMITTED, but the ledger has no entry$/,
    async (system, userId) => {
      const record = await system
        .model(Deposit)
        .findOne({ userId: new ObjectId(userId) })
        .lean()
      await system.model(Deposit).create({ ...record, _id: new ObjectId('f'.repeat(24)) })
    },
  ],
  [
    'an entry without a record',
    /^the ledger names withdrawal [0-9a-f]{24}, which is not a record of theirs$/,
    (system, userId) => system.model(Withdrawal).deleteOne({ userId: new ObjectId(userId) }),
  ],
  [
    'an entry of a CANCELLED record',
    /^withdrawal [0-9a-f]{24} of 10 is CANCELLED, its 1 entries add up to -10$/,
    (system, userId) =>
      system.model(Withdrawal).updateOne({ userId: new ObjectId(userId) }, { $set: { state: 'CANCELLED' } }),
  ],
  [
    'a record of another amount',
    /^withdrawal [0-9a-f]{24} of 11 is COMMITTED, its 1 entries add up to -10$/,
    (system, userId) =>
      system.model(Withdrawal).updateOne({ userId: new ObjectId(userId) }, { $set: { amount: long(11) } }),
  ],
  [
    'a deposit entered twice',
    /^deposit [0-9a-f]{24} of \d+ is COMMITTED, its 2 entries add up to \d+$/,
    async (system, userId) => {
      const user = await system.model(User).findById(userId).lean()
      const entry = user?.recentLedger.at(-1)
      await system.model(User).collection.updateOne(
        { _id: new ObjectId(userId) },
        {
          $push: { recentLedger: { ...entry, change: long(entry?.change ?? 0) } as never },
          $inc: { balance: long(entry?.change ?? 0) },
        },
      )
    },
  ],
]

for (const [name, expected, tamper] of DEFECTS) {
  test(`the audit finds ${name}`, async (t) => {
    const system = await createTestSystem(t)
    const sound = await system.makeUser({ balance: 5 })
    const { userId } = await system.makeUser({ balance: 10 })
    await system.run(users.withdrawFunds, { userId, amount: 10 })
    for (let i = 0; i < 64; i++) await system.run(users.depositFunds, { userId, amount: i + 1 })
    await archiveLedger(system, new ObjectId(userId))
    t.deepEqual(await audit(system, userId), [])

    await tamper(system, userId)
    const violations = await audit(system, userId)
    t.true(
      violations.some((each) => expected.test(each)),
      violations.join('; '),
    )
    t.deepEqual(await audit(system, sound.userId), [])
  })
}

test('a live system raises no false alarm', async (t) => {
  const system = await createTestSystem(t)
  const owners = await Promise.all(Array.from({ length: 5 }, () => system.makeUser({ balance: 100 })))
  let running = true
  const load = Promise.all(
    owners.map(async ({ userId }, i) => {
      for (let n = 0; running; n++) {
        const amount = 1 + ((n + i) % 300)
        const move = n % 2 ? users.withdrawFunds : users.depositFunds
        await system.run(move, { userId, amount }).catch(() => {})
        if (n % 40 === 0) await archiveLedger(system, new ObjectId(userId))
      }
    }),
  )
  for (let round = 0; round < 30; round++) {
    const { items } = await system.run(users.auditUsers, {}, null)
    t.is(items.length, owners.length)
    t.deepEqual(
      items.flatMap(({ violations }) => violations),
      [],
    )
  }
  running = false
  await load
})

test('all users are audited by pages', async (t) => {
  const system = await createTestSystem(t)
  const made = [await system.makeUser(), await system.makeUser(), await system.makeUser()].map(({ userId }) => userId)
  const first = await system.run(users.auditUsers, { limit: 2 }, null)
  t.deepEqual(
    first.items.map(({ id }) => id),
    made.slice(0, 2),
  )
  const second = await system.run(users.auditUsers, { limit: 2, cursor: first.nextCursor ?? '' }, null)
  t.deepEqual(
    second.items.map(({ id }) => id),
    made.slice(2),
  )
  t.is(second.nextCursor, null)
  t.is((await system.refused(users.auditUsers, { cursor: 'x' }, null)).code, 'invalid_input')
})

import test from 'ava'
import mongoose from 'mongoose'
import { bookings } from '../../functions/bookings/contract.js'
import { users } from '../../functions/users/contract.js'
import { archiveLedger, RECENT_LIMIT } from '../../functions/users/ledger.changes.js'
import { Ledger } from '../../functions/users/ledger.model.js'
import { User } from '../../functions/users/user.model.js'
import type { Output } from '../../platform/contract/contract.js'
import { onFailpoint } from '../../platform/lib/failpoints.js'
import { crashAt, stallAt } from '../support/faults.js'
import { lossyProxy } from '../support/lossyProxy.js'
import { createTestSystem, HOUR_MS, START, type TestSystem } from '../support/system.js'

type Entry = Output<typeof users.listLedger>['items'][number]

const NOBODY = 'ffffffffffffffffffffffff'
const at = (hour: number): string => new Date(START.getTime() + hour * HOUR_MS).toISOString()

/** The whole ledger by pages, newest first. */
async function ledgerOf(system: TestSystem, userId: string, limit = 7): Promise<Entry[]> {
  const entries: Entry[] = []
  let cursor: string | null = null
  do {
    const page: Output<typeof users.listLedger> = await system.run(users.listLedger, {
      userId,
      limit,
      ...(cursor !== null && { cursor }),
    })
    entries.push(...page.items)
    cursor = page.nextCursor
  } while (cursor !== null)
  return entries
}

async function deposits(system: TestSystem, userId: string, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => system.newId())
  for (const [i, depositId] of ids.entries()) await system.run(users.depositFunds, { depositId, userId, amount: i + 1 })
  return ids
}

const storedOf = (system: TestSystem, userId: string) =>
  system.model(User).findById(userId, { recentLedger: 1, archivedLedger: 1 }).lean()

async function violationsOf(system: TestSystem, userId: string): Promise<string[]> {
  const { items } = await system.run(users.auditUsers, { userIds: [userId] }, null)
  return items.flatMap(({ violations }) => violations)
}

test.serial('the ledger names every change of the balance and what caused it, newest first', async (t) => {
  const system = await createTestSystem(t)
  const user = await system.makeUser()
  const { userId } = user
  const depositId = system.newId()
  const withdrawalId = system.newId()
  const carId = await system.makeCar({ pricePerHour: 100 })
  t.deepEqual(await system.run(users.listLedger, { userId }, user), { items: [], nextCursor: null })

  await system.run(users.depositFunds, { depositId, userId, amount: 1000 })
  system.clock.advance(1)
  await system.run(users.withdrawFunds, { withdrawalId, userId, amount: 50 })
  const booking = await system.run(bookings.createBooking, { carId, from: at(1), to: at(3) }, user)
  const { reversal } = await system.run(bookings.cancelBooking, { bookingId: booking.id }, user)

  const { items, nextCursor } = await system.run(users.listLedger, { userId }, user)
  t.is(nextCursor, null)
  const time = system.now().toISOString()
  t.deepEqual(items, [
    { id: `${userId}:4`, at: time, cause: 'reversal', causeId: reversal?.id ?? '', change: 200, balanceAfter: 950 },
    { id: `${userId}:3`, at: time, cause: 'booking', causeId: booking.id, change: -200, balanceAfter: 750 },
    { id: `${userId}:2`, at: time, cause: 'withdrawal', causeId: withdrawalId, change: -50, balanceAfter: 950 },
    { id: `${userId}:1`, at: at(0), cause: 'deposit', causeId: depositId, change: 1000, balanceAfter: 1000 },
  ])
})

test.serial("others' ledgers are not found, and a made-up cursor is refused", async (t) => {
  const system = await createTestSystem(t)
  const user = await system.makeUser({ balance: 1 })
  const other = await system.makeUser({ balance: 1 })
  t.is((await system.refused(users.listLedger, { userId: other.userId }, user)).code, 'user_not_found')
  t.is((await system.refused(users.listLedger, { userId: NOBODY })).code, 'user_not_found')
  for (const cursor of ['x', 'MA', 'LTE', 'MS41', 'IjEi', 'bnVsbA']) {
    t.is((await system.refused(users.listLedger, { userId: user.userId, cursor })).code, 'invalid_input', cursor)
  }
  t.like(await system.run(users.listLedger, { userId: user.userId, cursor: 'OTk' }), { items: [{ change: 1 }] })
})

test.serial('archiving moves the oldest entries and changes nothing of what the ledger says', async (t) => {
  const system = await createTestSystem(t)
  const { userId } = await system.makeUser()
  const ids = await deposits(system, userId, RECENT_LIMIT)
  t.like(await system.run(users.tidyUsers, {}, null), { archived: 0 })
  ids.push(...(await deposits(system, userId, 6)))
  const before = await ledgerOf(system, userId)
  t.deepEqual(before.map(({ causeId }) => causeId).reverse(), ids)

  t.like(await system.run(users.tidyUsers, {}, null), { archived: 38 })
  t.like(await storedOf(system, userId), { recentLedger: { length: 32 }, archivedLedger: { count: 38 } })
  t.is(await system.model(Ledger).countDocuments(), 38)
  for (const limit of [1, 7, 32, 33, 70, 200]) t.deepEqual(await ledgerOf(system, userId, limit), before)
  t.like(await system.run(users.tidyUsers, {}, null), { archived: 0 })

  await deposits(system, userId, RECENT_LIMIT)
  t.like(await system.run(users.tidyUsers, {}, null), { archived: RECENT_LIMIT })
  const after = await ledgerOf(system, userId)
  t.deepEqual(after.slice(RECENT_LIMIT), before)
  t.deepEqual(await violationsOf(system, userId), [])
})

test.serial('a page read while the archive moves has no gap and nothing twice', async (t) => {
  const system = await createTestSystem(t)
  const { userId } = await system.makeUser()
  await deposits(system, userId, RECENT_LIMIT + 6)
  const before = await ledgerOf(system, userId)
  const first = await system.run(users.listLedger, { userId, limit: 10 })
  await system.run(users.tidyUsers, {}, null)
  await deposits(system, userId, 2)
  const second = await system.run(users.listLedger, { userId, limit: 200, cursor: first.nextCursor ?? '' })
  t.deepEqual([...first.items, ...second.items], before)
})

test.serial('archiving that crashes at any point leaves the ledger whole, and goes on later', async (t) => {
  const system = await createTestSystem(t)
  const crashed: string[] = []
  for (let n = 0; ; n++) {
    const { userId } = await system.makeUser()
    await deposits(system, userId, RECENT_LIMIT + 1)
    const before = await ledgerOf(system, userId)
    const point = await crashAt(n, () => archiveLedger(system, new mongoose.Types.ObjectId(userId)))
    if (point === undefined) break
    crashed.push(point)
    t.deepEqual(await ledgerOf(system, userId), before, point)
    t.deepEqual(await violationsOf(system, userId), [], point)
    const [newest] = await deposits(system, userId, 1)
    await system.run(users.tidyUsers, {}, null)
    const after = await ledgerOf(system, userId)
    t.is(after[0]?.causeId, newest, point)
    t.deepEqual(after.slice(1), before, point)
    t.deepEqual(await violationsOf(system, userId), [], point)
    t.true(((await storedOf(system, userId))?.recentLedger.length ?? 99) < RECENT_LIMIT, point)
  }
  t.deepEqual(crashed, [
    'archiveLedger.copy.before',
    'archiveLedger.copy.after',
    'archiveLedger.drop.before',
    'archiveLedger.drop.after',
  ])
})

test.serial(
  'an archiver that stalls at any point while another one and new entries pass it by does no harm',
  async (t) => {
    const system = await createTestSystem(t)
    for (let n = 0; ; n++) {
      const { userId } = await system.makeUser()
      await deposits(system, userId, RECENT_LIMIT + 1)
      const before = await ledgerOf(system, userId)
      const point = await stallAt(
        n,
        () => archiveLedger(system, new mongoose.Types.ObjectId(userId)),
        async () => {
          for (let round = 0; round < 2; round++) {
            await deposits(system, userId, RECENT_LIMIT + 1)
            await archiveLedger(system, new mongoose.Types.ObjectId(userId))
          }
        },
      )
      if (point === undefined) break
      t.deepEqual((await ledgerOf(system, userId)).slice(2 * (RECENT_LIMIT + 1)), before, point)
      t.deepEqual(await violationsOf(system, userId), [], point)
    }
  },
)

test.serial('money moves while many archive at once, and every entry stays', async (t) => {
  const system = await createTestSystem(t)
  const { userId } = await system.makeUser()
  await deposits(system, userId, RECENT_LIMIT + 1)
  await Promise.all([
    ...Array.from({ length: 100 }, () => system.run(users.depositFunds, { userId, amount: 1 })),
    ...Array.from({ length: 10 }, () => archiveLedger(system, new mongoose.Types.ObjectId(userId))),
  ])
  t.is((await ledgerOf(system, userId)).length, RECENT_LIMIT + 101)
  t.deepEqual(await violationsOf(system, userId), [])
})

test.serial('entries whose copies had no answer are not dropped', async (t) => {
  const system = await createTestSystem(t)
  const { userId } = await system.makeUser()
  await deposits(system, userId, RECENT_LIMIT + 1)
  const { uri, loseOneReply } = await lossyProxy(t, system.config.mongodbUri('users'))
  const lossy = await createTestSystem(t, { beside: system, env: { MONGODB_URI: uri } })

  onFailpoint((point) => {
    if (point === 'archiveLedger.copy.before') loseOneReply()
  })
  t.teardown(() => onFailpoint(null))
  await t.throwsAsync(archiveLedger(lossy, new mongoose.Types.ObjectId(userId)))
  t.like(await storedOf(system, userId), {
    recentLedger: { length: RECENT_LIMIT + 1 },
    archivedLedger: { count: 0 },
  })
})

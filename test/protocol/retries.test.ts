import test from 'ava'
import fc from 'fast-check'
import mongoose from 'mongoose'
import { bookings } from '../../functions/bookings/contract.js'
import { calendars } from '../../functions/calendars/contract.js'
import { paymentEngine } from '../../functions/payments/payment.engine.js'
import { users } from '../../functions/users/contract.js'
import { onFailpoint } from '../../platform/lib/failpoints.js'
import { long } from '../../platform/database/long.js'
import { findStuck } from '../../protocol/recovery.js'
import { PARK_AFTER, recoveryDelayMs } from '../../protocol/retries.js'
import { createTestSystem, HOUR_MS, START } from '../support/system.js'

/** What always fails comes after what has not failed, comes later each time, and in the end not at all. */

const { ObjectId } = mongoose.Types
const RECOVERY = { stuckAfterMs: 15_000, intervalMs: 5000, lockMs: 10_000 }

test('the pause after a failure grows, is never shorter than what counts as stuck, and is bounded', (t) => {
  const delays = Array.from({ length: PARK_AFTER + 1 }, (_, failures) => recoveryDelayMs(RECOVERY, failures))
  t.deepEqual(delays.slice(0, 6), [15_000, 15_000, 15_000, 20_000, 40_000, 80_000])
  t.deepEqual(
    delays,
    [...delays].sort((a, b) => a - b),
  )
  t.is(delays.at(-1), 300_000)
})

test.serial('the engine recovers what has not failed before what has, whatever stands still', async (t) => {
  const system = await createTestSystem(t)
  const collection = system.databases.connection('payments').collection('payments')
  const { recovery } = system.config
  const stored = fc.record({ recoveries: fc.nat(PARK_AFTER), stillMs: fc.nat(400_000), parked: fc.boolean() })
  await fc.assert(
    fc.asyncProperty(fc.array(stored, { minLength: 1, maxLength: 40 }), async (all) => {
      await collection.deleteMany({})
      await collection.insertMany(
        all.map(({ recoveries, stillMs, parked }, i) => ({
          amount: long(1),
          cause: { type: 'test', id: new ObjectId() },
          state: 'PENDING',
          epoch: 1,
          recoveries,
          parked,
          repairs: [],
          requestId: String(i),
          createdAt: new Date(START.getTime() - stillMs),
          lastModified: new Date(START.getTime() - stillMs),
        })),
      )
      const found = await findStuck(system as never, system.use(paymentEngine))
      const isDue = ({ recoveries, stillMs, parked }: (typeof all)[number]) =>
        !parked && stillMs > recoveryDelayMs(recovery, recoveries)
      t.deepEqual(
        found.map(({ requestId }) => Number(requestId)).sort((a, b) => a - b),
        all.flatMap((each, i) => (isDue(each) ? [i] : [])),
      )
      const failed = found.map(({ recoveries }) => recoveries > 0)
      t.deepEqual(
        failed,
        [...failed].sort((a, b) => Number(a) - Number(b)),
      )
    }),
    { numRuns: 20, endOnFailure: true },
  )
})

test.serial(
  'more than a page of deposits that always fail never delay one that does not, and are parked',
  async (t) => {
    const system = await createTestSystem(t)
    const { userId } = await system.makeUser()
    const deposits = system.databases.connection('users').collection('deposits')
    const deposit = (owner: string) => ({
      _id: new ObjectId(),
      userId: new ObjectId(owner),
      amount: long(10),
      state: 'PENDING',
      request: { by: 'system', hash: 'x' },
      requestId: 'r',
      createdAt: system.clock.now(),
      lastModified: system.clock.now(),
    })
    // Of users who are gone.
    const poisoned = Array.from({ length: 510 }, () => deposit('f'.repeat(24)))
    await deposits.insertMany(poisoned)
    const later = (ms = 300_001) => system.clock.advance(ms)
    later()
    t.like(await system.run(users.recoverTransfers, {}, null), { committed: 0 })
    await deposits.insertOne(deposit(userId))
    later(system.config.recovery.stuckAfterMs + 1)
    t.like(await system.run(users.recoverTransfers, {}, null), { committed: 1 }, 'in the first run after it is stuck')

    await deposits.deleteMany({ _id: { $in: poisoned.slice(1).map(({ _id }) => _id) } })
    const [last] = poisoned
    let parked = 0
    for (let run = 1; run <= PARK_AFTER; run++) {
      later()
      parked += (await system.run(users.recoverTransfers, {}, null)).parked
    }
    t.is(parked, 1)
    later(HOUR_MS)
    t.like(await system.run(users.recoverTransfers, {}, null), { examined: 0 })
    await deposits.updateOne({ _id: last?._id as never }, { $set: { userId: new ObjectId(userId) } })
    const transferId = String(last?._id)
    t.deepEqual((await system.run(bookings.auditBooks, {})).parkedTransfers, [transferId])
    t.like(await system.run(users.recoverTransfers, { transferId }), { examined: 1, committed: 1 })
    t.is((await system.refused(users.recoverTransfers, { transferId })).code, 'transfer_not_found')
    t.deepEqual((await system.run(bookings.auditBooks, {})).parkedTransfers, [])
  },
)

test.serial('a confirmation that always fails is parked, and an admin ends it', async (t) => {
  const system = await createTestSystem(t)
  const [buyer, seller] = [await system.makeUser({ balance: 1000 }), await system.makeUser()]
  const at = (hours: number): string => new Date(START.getTime() + hours * HOUR_MS).toISOString()
  const input = { sellerId: seller.userId, from: at(200), to: at(201), note: '', price: 600 }
  const { id: invitationId } = await system.run(calendars.inviteToBooking, input, buyer)
  onFailpoint((point) => {
    if (point === 'settlement.pay.before') throw new Error('crash')
  })
  t.teardown(() => onFailpoint(null))
  await t.throwsAsync(system.run(calendars.confirmInvitation, { invitationId }, seller))
  const ends: number[] = []
  for (let run = 1; run <= PARK_AFTER + 1; run++) {
    system.clock.advance(300_001)
    const { examined, parked } = await system.run(calendars.recoverInvitations, {}, null)
    ends.push(examined + parked)
  }
  t.deepEqual(ends, [...Array.from({ length: PARK_AFTER - 1 }, () => 1), 2, 0])
  onFailpoint(null)
  t.deepEqual(await system.run(calendars.findParkedInvitations, {}, null), { parked: [invitationId] })
  t.deepEqual((await system.run(bookings.auditBooks, {})).parkedInvitations, [invitationId])
  t.like(await system.run(calendars.recoverInvitations, { invitationId }), { examined: 1, confirmed: 1 })
  t.deepEqual(await system.run(calendars.findParkedInvitations, {}, null), { parked: [] })
  t.is((await system.refused(calendars.recoverInvitations, { invitationId })).code, 'invitation_not_found')
})

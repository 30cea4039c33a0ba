import test from 'ava'
import { bookings } from '../../functions/bookings/contract.js'
import { crashAt } from '../support/faults.js'
import { until } from '../../proof/support/until.js'
import { createTestSystem, HOUR_MS, START } from '../support/system.js'

const at = (hour: number): string => new Date(START.getTime() + hour * HOUR_MS).toISOString()

test.serial('stuck bookings: what admins see, move on, and recover', async (t) => {
  const system = await createTestSystem(t)
  const user = await system.makeUser({ balance: 9000 })
  const carId = await system.makeCar({ pricePerHour: 1000 })
  const crash = async (n: number, hour: number): Promise<string> => {
    const bookingId = system.newId()
    await crashAt(n, () =>
      system.run(bookings.createBooking, { bookingId, carId, from: at(hour), to: at(hour + 1) }, user),
    )
    return bookingId
  }
  const stuckAfter = (): void => system.clock.advance(system.config.recovery.stuckAfterMs + 1)

  const pending = await crash(6, 1)
  t.is((await system.run(bookings.getBooking, { bookingId: pending })).state, 'PENDING')
  t.is((await system.refused(bookings.applyBooking, { bookingId: pending })).code, 'booking_not_stuck')
  const busy = await system.refused(bookings.createBooking, { carId, from: at(5), to: at(6) }, user)
  t.is(busy.code, 'booking_outstanding')
  t.deepEqual(busy.details, { bookingId: pending })
  stuckAfter()
  t.is((await system.refused(bookings.commitBooking, { bookingId: pending })).code, 'booking_state_changed')
  t.is((await system.run(bookings.applyBooking, { bookingId: pending })).state, 'APPLIED')
  t.is((await system.refused(bookings.applyBooking, { bookingId: pending })).code, 'booking_state_changed')
  stuckAfter()
  t.is((await system.run(bookings.commitBooking, { bookingId: pending })).state, 'COMMITTED')
  t.is((await system.refused(bookings.commitBooking, { bookingId: pending })).code, 'booking_not_stuck')

  const initial = await crash(2, 2)
  stuckAfter()
  // Inserted at w:1: no majority read sees it for a moment.
  await until(async () => (await system.run(bookings.recoverBookings, { dryRun: true })).examined === 1)
  t.deepEqual(await system.run(bookings.recoverBookings, { dryRun: true }), {
    examined: 1,
    reapplied: 0,
    committed: 0,
    cancelled: 0,
    parked: 0,
  })
  t.deepEqual(await system.run(bookings.recoverBookings, {}), {
    examined: 1,
    reapplied: 1,
    committed: 1,
    cancelled: 0,
    parked: 0,
  })
  t.is((await system.run(bookings.getBooking, { bookingId: initial }, user)).state, 'COMMITTED')
  t.is((await system.refused(bookings.recoverBookings, { bookingId: initial })).code, 'booking_not_stuck')
  t.true((await system.run(bookings.auditBooks, {})).ok)
})

test.serial('a booking that recovery cannot end is parked after 15 attempts, and an admin re-drives it', async (t) => {
  const system = await createTestSystem(t)
  const user = await system.makeUser({ balance: 9000 })
  const carId = await system.makeCar({ pricePerHour: 1000 })
  const bookingId = system.newId()
  await crashAt(6, () => system.run(bookings.createBooking, { bookingId, carId, from: at(1), to: at(2) }, user))

  const recover = async (): Promise<{ parked: number; examined: number }> => {
    // As late as anything that fails is tried again.
    system.clock.advance(300_001)
    return system.run(bookings.recoverBookings, {})
  }
  const stuckIds = async (input: { parked?: boolean }): Promise<string[]> =>
    (await system.run(bookings.listStuckBookings, input)).items.map(({ id }) => id)
  t.deepEqual(await stuckIds({}), [])
  for (let attempt = 1; attempt <= 15; attempt++) await crashAt(2, recover)
  system.clock.advance(300_001)
  t.deepEqual(
    [await stuckIds({}), await stuckIds({ parked: false }), await stuckIds({ parked: true })],
    [[bookingId], [bookingId], []],
  )
  t.like(await recover(), { examined: 1, parked: 1 })
  t.deepEqual(
    [await stuckIds({}), await stuckIds({ parked: false }), await stuckIds({ parked: true })],
    [[bookingId], [], [bookingId]],
  )
  const { repairs, booking, reversal, epoch } = await system.run(bookings.traceBooking, { bookingId })
  t.like(booking, { id: bookingId, state: 'PENDING', parked: true })
  t.is(reversal, undefined)
  t.true(repairs.length >= 15 && epoch > 15)
  t.like(repairs.at(-1), { by: 'recovery', from: 'PENDING' })
  t.like(await recover(), { examined: 0, parked: 0 })
  t.like(await system.run(bookings.getBooking, { bookingId }), { state: 'PENDING', parked: true })
  t.like(await system.run(bookings.auditBooks, {}), { ok: true, parked: [bookingId] })
  t.is(
    (await system.refused(bookings.createBooking, { carId, from: at(5), to: at(6) }, user)).code,
    'booking_outstanding',
  )

  t.like(await system.run(bookings.recoverBookings, { bookingId }), { examined: 1, committed: 1 })
  t.like(await system.run(bookings.auditBooks, {}), { ok: true, parked: [] })
  await system.run(bookings.cancelBooking, { bookingId })
  // The commit waits for no majority: a read may be behind it, for as long as a journal flush takes.
  const traced = await until(async () => {
    const found = await system.run(bookings.traceBooking, { bookingId })
    return found.reversal?.state === 'COMMITTED' ? found : undefined
  })
  t.is(traced.reversal?.reverses, bookingId)
  t.is(traced.booking.reversedBy, traced.reversal?.id)
})

import test from 'ava'
import mongoose from 'mongoose'
import { bookings } from '../../functions/bookings/contract.js'
import { users } from '../../functions/users/contract.js'
import { User } from '../../functions/users/user.model.js'
import { Booking } from '../../functions/bookings/booking.model.js'
import type { Caller } from '../../platform/contract/caller.js'
import { createTestSystem, HOUR_MS, type TestSystem } from '../support/system.js'

/** Booking and giving back costs nothing and leaves ids behind: a document never grows until it can't be written. */

const DAY_MS = 24 * HOUR_MS

async function bookAndGiveBack(system: TestSystem, by: Caller, carId: string, hour: number): Promise<void> {
  const at = (hours: number) => new Date(system.clock.now().getTime() + hours * HOUR_MS).toISOString()
  const { id } = await system.run(bookings.createBooking, { carId, from: at(hour), to: at(hour + 1) }, by)
  await system.run(bookings.cancelBooking, { bookingId: id }, by)
}

test('a car that was booked and given back too often takes no more, until that is forgotten', async (t) => {
  const system = await createTestSystem(t, { env: { MAX_DOCUMENT_BYTES: '2000' } })
  const carId = await system.makeCar({ pricePerHour: 0 })
  const newcomer = await system.makeUser()
  let given = 0
  for (let refused = false; !refused;) {
    const by = await system.makeUser()
    // A user's own document grows too.
    for (let i = 0; i < 3 && !refused; i++) {
      refused = await bookAndGiveBack(system, by, carId, given).then(
        () => (given++, false),
        (error: { code: string; details: unknown }) => {
          t.like(error, { code: 'too_many_bookings', details: { of: 'car' } })
          return true
        },
      )
    }
  }
  t.true(given > 10 && given < 100, `${given} were given back`)
  t.is(await system.model(Booking).countDocuments({}), 2 * given, 'of what was refused nothing is stored')
  await bookAndGiveBack(system, newcomer, await system.makeCar({ pricePerHour: 0 }), 1)
  t.deepEqual((await system.run(bookings.auditBooks, {})).violations, [])

  system.clock.advance(DAY_MS + HOUR_MS)
  await system.run(bookings.tidyThings, {}, null)
  await bookAndGiveBack(system, newcomer, carId, 1)
})

test('so does a user, before anything is stored', async (t) => {
  const system = await createTestSystem(t, { env: { MAX_DOCUMENT_BYTES: '4000' } })
  const user = await system.makeUser()
  const carId = await system.makeCar({ pricePerHour: 0 })
  const remembered = Array.from({ length: 300 }, () => new mongoose.Types.ObjectId(system.newId()))
  await system.model(User).updateOne({ _id: user.userId }, { $set: { tombstones: remembered } })
  t.like(await t.throwsAsync(bookAndGiveBack(system, user, carId, 1)), {
    code: 'too_many_bookings',
    details: { of: 'user' },
  })
  t.is(await system.model(Booking).estimatedDocumentCount(), 0)
  await system.model(User).updateOne({ _id: user.userId }, { $set: { tombstones: [] } })
  await bookAndGiveBack(system, user, carId, 1)
})

test('a user is shown with their newest 100 bookings; listBookings has all', async (t) => {
  const system = await createTestSystem(t)
  const user = await system.makeUser()
  const active = Array.from({ length: 101 }, () => new mongoose.Types.ObjectId(system.newId()))
  await system.model(User).updateOne({ _id: user.userId }, { $set: { bookings: active } })
  const shown = await system.run(users.getUser, { userId: user.userId }, user)
  t.deepEqual(shown.bookings, active.slice(1).map(String))
})

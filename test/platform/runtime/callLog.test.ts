import test from 'ava'
import { bookings } from '../../../functions/bookings/contract.js'
import { users } from '../../../functions/users/contract.js'
import { idsIn } from '../../../platform/runtime/invocation.js'
import { createTestSystem, HOUR_MS, START } from '../../support/system.js'

const INFO = 30

test('a call leaves one line: who, what, on which entities, how long, how it ended', async (t) => {
  const system = await createTestSystem(t)
  const user = await system.makeUser({ balance: 5000 })
  const carId = await system.makeCar()
  const bookingId = system.newId()
  const period = { from: START.toISOString(), to: new Date(START.getTime() + HOUR_MS).toISOString() }
  const linesOf = async (call: () => Promise<unknown>) => {
    const before = system.logs.length
    await call()
    return system.logs.slice(before).filter(({ level, msg }) => msg === 'call' && level === INFO)
  }

  const booked = await linesOf(() => system.run(bookings.createBooking, { bookingId, carId, ...period }, user))
  t.is(booked.length, 1, 'what functions ask each other on its way is for debug')
  t.like(booked[0], {
    operation: 'bookings.createBooking',
    caller: user.userId,
    ids: { bookingId, carId },
    code: 'ok',
  })
  t.regex(String(booked[0]?.['requestId']), /^request-/)
  t.is(typeof booked[0]?.['ms'], 'number')

  const [refused] = await linesOf(() => system.refused(bookings.getBooking, { bookingId: carId }, user))
  t.like(refused, { ids: { bookingId: carId }, code: 'booking_not_found' })
})

test('passwords, texts and what is no id are never in it', async (t) => {
  const system = await createTestSystem(t)
  const secret = 'correct horse battery'
  await system.run(users.signUp, { email: 'ada@example.com', password: secret, name: 'Ada' }, null)
  await system.run(users.signIn, { email: 'ada@example.com', password: secret }, null)
  await system.refused(bookings.getBooking, { bookingId: secret })
  const lines = JSON.stringify(system.logs)
  for (const each of [secret, 'ada@example.com', '"Ada"']) t.false(lines.includes(each), each)
  t.deepEqual(idsIn(bookings.getBooking, { bookingId: secret }), {})
  t.deepEqual(idsIn(bookings.getBooking, null), {})
})

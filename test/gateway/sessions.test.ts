import test from 'ava'
import type { Socket } from 'socket.io-client'
import { users } from '../../functions/users/contract.js'
import type { CallInput, Output } from '../../platform/contract/contract.js'
import { until } from '../../proof/support/until.js'
import { mailOf } from '../support/mails.js'
import { codeOf, send } from './support.js'
import { startWithFunctions } from './withFunctions.js'

const ada = { email: 'ada@example.com', password: 'correct horse', name: 'Ada' }
type Signed = Output<typeof users.signIn>

/** What a socket is told, and why it is closed. */
function hear(socket: Socket) {
  const told: string[] = []
  socket.onAny((name: string) => void (name !== 'operations' && told.push(name)))
  socket.on('disconnect', (reason) => void told.push(reason))
  return told
}

async function call<T>(socket: Socket, operation: string, input: object): Promise<T> {
  const result = await send(socket, operation, input)
  if (!result.ok) throw new Error(`${operation}: ${result.error.code}`)
  return result.data as T
}

test('whoever is signed out, here or elsewhere, hears no more: sockets are closed, other sessions stay', async (t) => {
  const { connect } = await startWithFunctions(t)
  const anyone = await connect()
  const laptop = await call<Signed>(anyone, 'signUp', ada)
  const { email, password } = ada
  const [phone, lost, other] = [
    await call<Signed>(anyone, 'signIn', { email, password, device: 'phone' }),
    await call<Signed>(anyone, 'signIn', { email, password }),
    await call<Signed>(anyone, 'signIn', { email, password }),
  ]
  const sockets = await Promise.all([laptop, phone, lost, other].map(({ token }) => connect(token)))
  const [onLaptop, onPhone, onLost, onOther] = sockets as [Socket, Socket, Socket, Socket]
  const [laptopHears, phoneHears, lostHears, otherHears] = sockets.map(hear) as [string[], string[], string[], string[]]

  const { items } = await call<Output<typeof users.listSessions>>(onPhone, 'listSessions', { userId: phone.user.id })
  t.is(items.find(({ current }) => current)?.device, 'phone')
  t.deepEqual(new Set(items.map(({ network }) => network)), new Set(['127.0.0.1']))

  await call(onPhone, 'revokeSession', { sessionId: lost.sessionId })
  await call(onPhone, 'signOut', {})
  await until(() => [lostHears, phoneHears].every((told) => told.includes('io server disconnect')))
  for (const told of [lostHears, phoneHears]) t.true(told.includes('session:ended'))
  t.false(onLost.connected)
  t.is(await codeOf(onLaptop, 'getUser', { userId: laptop.user.id }), 'ok')
  t.is(await codeOf(onOther, 'getUser', { userId: laptop.user.id }), 'ok')
  t.false(laptopHears.includes('session:ended'))

  await call(onLaptop, 'signOutEverywhere', { userId: laptop.user.id })
  await until(() => [laptopHears, otherHears].every((told) => told.includes('io server disconnect')))
  const again = await connect(other.token)
  t.is(await codeOf(again, 'getUser', { userId: laptop.user.id }), 'unauthenticated')
})

test('an API key does what its scopes cover, and is cut off within two seconds when it is revoked', async (t) => {
  const { system, connect } = await startWithFunctions(t)
  const { userId } = await system.makeUser()
  const make = (scopes: CallInput<typeof users.createApiKey>['scopes']) =>
    system.run(users.createApiKey, { name: 'shop', userId, scopes })
  const reading = await make(['users:read', 'bookings:read'])
  const hearing = await make(['feeds:read', 'users:write'])
  const [reader, hearer] = [await connect(reading.key), await connect(hearing.key)]
  const told = hear(reader)
  t.is(await codeOf(reader, 'getUser', { userId }), 'ok')
  t.is(await codeOf(reader, 'listCars', {}), 'ok')
  t.is(await codeOf(reader, 'cancelBooking', { bookingId: userId }), 'forbidden')
  t.is(await codeOf(hearer, 'listCars', {}), 'forbidden')
  t.is(await codeOf(hearer, 'getUser', { userId }), 'ok', 'who may write may read')
  t.is(await codeOf(hearer, 'listSessions', { userId }), 'forbidden', 'not for keys')
  t.is(await codeOf(hearer, 'createApiKey', { name: 'x', scopes: ['users:write'] }), 'forbidden')

  await system.run(users.revokeApiKey, { apiKeyId: reading.apiKey.id })
  await until(() => told.includes('io server disconnect'))
  t.true(told.includes('session:ended'))
  t.false(told.includes('position'), 'its scopes have no news')
  t.is(await codeOf(hearer, 'getUser', { userId }), 'ok')
  const error = await t.throwsAsync(connect(reading.key))
  t.is((error as Error & { data: { code: string } }).data.code, 'unauthenticated')
})

test('a password that is set by mail cuts off whoever was signed in', async (t) => {
  const { system, connect } = await startWithFunctions(t)
  const anyone = await connect()
  const { token } = await call<Signed>(anyone, 'signUp', ada)
  const told = hear(await connect(token))
  await call(anyone, 'requestPasswordReset', { email: ada.email })
  const mail = await mailOf(system, 1)
  const reset = { token: mail.token, newPassword: 'battery staple' }
  const { user, ...next } = await call<Signed>(anyone, 'resetPassword', reset)
  await until(() => told.includes('io server disconnect'))
  t.true(told.includes('session:ended'))
  t.is(await codeOf(await connect(next.token), 'getUser', { userId: user.id }), 'ok')
  t.is(await codeOf(anyone, 'resetPassword', reset), 'mail_token_invalid')
})

import test from 'ava'
import { bookAndCancel } from '../../client/apps/user.js'
import { prepare } from '../../client/apps/admin.js'
import { users } from '../../functions/users/contract.js'
import type { TestSystem } from '../support/system.js'
import { codeOf, newId, send } from './support.js'
import { startWithFunctions } from './withFunctions.js'

const data = async (system: TestSystem): Promise<unknown> => {
  const databases = ['users', 'bookings'].flatMap((domain) => system.databases.connection(domain).db ?? [])
  // That somebody guessed is counted.
  const collections = (await Promise.all(databases.map((db) => db.collections())))
    .flat()
    .filter(({ collectionName }) => collectionName !== 'passwordTries')
  return Promise.all(collections.map(async (each) => [each.collectionName, await each.find().toArray()]))
}

test('an admin and a user, each a backend app, book a car', async (t) => {
  const { tokenOf, port } = await startWithFunctions(t)
  const url = `http://127.0.0.1:${port}`
  const lines: string[] = []
  const say = (line: string) => void lines.push(line)
  const prepared = await prepare({ url, token: await tokenOf('admin'), say })
  await bookAndCancel({ url, ...prepared, say })
  t.deepEqual(
    lines.map((line) => line.replace(/\d{4}-.*? on/, 'tomorrow on')),
    [
      'createCar: Blue Beetle, 12.50 an hour',
      'createUser: Ada, balance 0.00',
      'depositFunds: 100.00, balance 100.00',
      'signIn: Ada',
      'listCars: Blue Beetle is free from tomorrow on',
      'createBooking: COMMITTED, 3 hours, 37.50',
      'getUser: balance 62.50',
      'cancelBooking: reversal COMMITTED',
      'getUser: balance 100.00',
    ],
  )
})

test('a new password ends older tokens, a new role bites at the next request', async (t) => {
  const { connect, tokenOf } = await startWithFunctions(t)
  const admin = await connect(await tokenOf('admin'))
  const anonymous = await connect()
  const login = { email: 'ada@example.com', password: 'first-password' }
  const signedUp = await send(anonymous, 'signUp', login)
  if (!signedUp.ok) return t.fail(signedUp.error.message)
  const { user, token } = signedUp.data as { user: { id: string; version: number }; token: string }
  const ada = await connect(token)
  t.is(await codeOf(ada, 'getUser', { userId: user.id }), 'ok')
  t.is(await codeOf(ada, 'listUsers'), 'forbidden')

  const promoted = await send(admin, 'updateUser', { userId: user.id, version: user.version, set: { role: 'admin' } })
  t.true(promoted.ok)
  t.is(await codeOf(ada, 'listUsers'), 'ok')

  const changed = await send(ada, 'changePassword', { oldPassword: login.password, newPassword: 'second-password' })
  t.true(changed.ok)
  t.is(await codeOf(ada, 'listUsers'), 'unauthenticated')
  if (changed.ok) t.is(await codeOf(await connect((changed.data as { token: string }).token), 'listUsers'), 'ok')
  t.is(await codeOf(await connect(token), 'listUsers'), 'unauthenticated')
})

test('hostile input changes no data', async (t) => {
  const { system, connect, tokenOf } = await startWithFunctions(t)
  const { userId } = await system.makeUser({ balance: 5000 })
  const carId = await system.makeCar()
  const { password, ...login } = { email: 'eve@example.com', password: 'eve-password', name: 'Eve' }
  const eve = await system.run(users.signUp, { ...login, password }, null)
  const admin = await connect(await tokenOf('admin'))
  const user = await connect(eve.token)
  const anonymous = await connect()
  const before = await data(system)

  const from = '2031-01-01T02:00:00.000Z'
  const to = '2031-01-01T01:00:00.000Z'
  const rows: [string, typeof admin, string, unknown][] = [
    ['invalid_input', admin, 'depositFunds', { userId, amount: -5000 }],
    ['invalid_input', admin, 'depositFunds', { userId, amount: 1.5 }],
    ['invalid_input', admin, 'depositFunds', { userId, amount: 2 ** 53 }],
    ['invalid_input', admin, 'withdrawFunds', { userId: { $exists: true }, amount: 1 }],
    ['invalid_input', admin, 'setPassword', { userId: { $ne: null }, newPassword: 'all-the-same' }],
    ['invalid_input', anonymous, 'signIn', { email: { $gt: '' }, password: { $gt: '' } }],
    ['invalid_input', anonymous, 'signUp', { email: 'x@example.com', password: 'x-password', role: 'admin' }],
    [
      'invalid_input',
      anonymous,
      'signUp',
      JSON.parse('{"email":"x@example.com","password":"x-password","__proto__":{}}'),
    ],
    ['invalid_input', user, 'createBooking', { carId, from, to }],
    ['invalid_input', user, 'createBooking', { carId, from: to, to: from, cost: 0 }],
    ['invalid_input', user, 'updateUser', { userId: eve.user.id, version: 0, set: { balance: 1_000_000 } }],
    ['forbidden', user, 'depositFunds', { userId: eve.user.id, amount: 1_000_000 }],
    ['forbidden', user, 'updateUser', { userId: eve.user.id, version: 0, set: { role: 'admin' } }],
    ['forbidden', user, 'createCar', { name: 'mine', pricePerHour: 0 }],
    ['user_not_found', user, 'getUser', { userId }],
    ['unauthenticated', anonymous, 'createBooking', { carId, from: to, to: from }],
    ['unauthenticated', anonymous, 'signIn', { email: 'eve@example.com', password: 'guess-password' }],
    ['unknown_operation', admin, 'moveFunds', { steps: [] }],
    ['user_not_found', admin, 'depositFunds', { userId: newId(), amount: 1 }],
  ]
  for (const [code, socket, operation, input] of rows) {
    t.is(await codeOf(socket, operation, input), code, `${operation} ${JSON.stringify(input)}`)
  }
  t.deepEqual(await data(system), before)
})

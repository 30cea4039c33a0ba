import test from 'ava'
import { SignJWT } from 'jose'
import { MAX_REQUEST_CHARS } from '../../gateway/decoder.js'
import { originAllowed } from '../../gateway/origin.js'
import type { PublicError } from '../../platform/contract/errors.js'
import { signToken } from '../../platform/runtime/tokens.js'
import { until } from '../../proof/support/until.js'
import { codeOf, newId, send, startGateway, testConfig } from './support.js'

const CAR = 'c'.repeat(24)
const USER = 'b'.repeat(24)

test('tokens: none is anonymous; bad, expired and forged ones are refused', async (t) => {
  const { connect, config, userToken } = await startGateway(t)
  const subject = { userId: newId(), role: 'admin' as const, tokenVersion: 1 }
  const claims = { role: 'admin', tokenVersion: 1 }
  const jwt = (secret: string): Promise<string> =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject(subject.userId)
      .setIssuer('holdfast')
      .setAudience('holdfast')
      .setIssuedAt()
      .setExpirationTime('1h')
      .sign(new TextEncoder().encode(secret))
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const [, payload = '', signature = ''] = (await jwt(config.authSecret)).split('.')
  const bad: Record<string, unknown> = {
    'not a token': 'nonsense',
    empty: '',
    'a number': 7,
    'an operator': { $ne: null },
    'another secret': await jwt('another secret, of the same length, of attackers'),
    'alg none': `${encode({ alg: 'none' })}.${payload}.`,
    'alg none, signed': `${encode({ alg: 'none' })}.${payload}.${signature}`,
    'another payload': `${encode({ alg: 'HS256' })}.${encode({ ...claims, sub: USER, exp: 9e9 })}.${signature}`,
    expired: await signToken(subject, config, new Date(Date.now() - config.tokenTtlMs - 60_000)),
  }
  for (const [what, token] of Object.entries(bad)) {
    const error = await t.throwsAsync<Error & { data?: PublicError }>(connect(token as string), undefined, what)
    t.like(error?.data, { code: 'unauthenticated', retryable: false }, what)
    t.regex(error?.data?.requestId ?? '', /^[0-9a-f]{24}$/, what)
  }

  const anonymous = await connect()
  t.is(await codeOf(anonymous, 'getStatus'), 'ok')
  t.is(await codeOf(anonymous, 'listCars', {}), 'unauthenticated')
  const { token } = await userToken()
  t.is(await codeOf(await connect(token), 'listCars', {}), 'ok')
})

test('an admin, and whoever calls what is for admins, is looked up at every request', async (t) => {
  const { connect, userToken, users, calls } = await startGateway(t)
  const { userId, token } = await userToken('user')
  const socket = await connect(token)
  const car = { name: 'Beetle', pricePerHour: 1 }
  t.is(await codeOf(socket, 'createCar', car), 'forbidden')

  users.set(userId, { role: 'admin', tokenVersion: 1 })
  t.is(await codeOf(socket, 'createCar', car), 'ok')
  t.deepEqual(calls.at(-1)?.caller, { userId, role: 'admin' })

  users.set(userId, { role: 'admin', tokenVersion: 2 })
  t.is(await codeOf(socket, 'createCar', car), 'unauthenticated')
  t.is(await codeOf(socket, 'getStatus'), 'ok')

  users.delete(userId)
  t.is(await codeOf(socket, 'listCars'), 'unauthenticated')
})

test('a token that expires while its socket is open stops working', async (t) => {
  let nowMs = Date.now()
  const { connect, config, users } = await startGateway(t, { overrides: { now: () => new Date(nowMs) } })
  const subject = { userId: newId(), role: 'user' as const, tokenVersion: 1 }
  users.set(subject.userId, subject)
  const socket = await connect(await signToken(subject, config, new Date(nowMs)))
  t.is(await codeOf(socket, 'listCars'), 'ok')
  nowMs += config.tokenTtlMs + 1000
  t.is(await codeOf(socket, 'listCars'), 'unauthenticated')
})

test('lookups that wait together share a call', async (t) => {
  const harness = await startGateway(t)
  const tokens = await Promise.all(Array.from({ length: 10 }, () => harness.userToken()))
  const sockets = await Promise.all(tokens.map(({ token }) => harness.connect(token)))
  const codes = await Promise.all(sockets.flatMap((socket) => [1, 2, 3, 4].map(() => codeOf(socket, 'listCars'))))
  t.true(codes.every((code) => code === 'ok'))
  t.true(harness.lookups < 40, `${harness.lookups} lookups for 40 requests`)
})

test('when several rules are broken, the first one answers', async (t) => {
  const { connect, userToken } = await startGateway(t, { env: { RATE_LIMIT_PER_SECOND: '1' } })
  // Each row mends one defect of the row before.
  const anonymous = await connect()
  t.is(await codeOf(anonymous, 'noSuchThing', { bad: 1 }, 'extra'), 'unknown_operation')
  t.is(await codeOf(anonymous, 'createCar', { bad: 1 }, 'extra'), 'unauthenticated')
  t.is(await codeOf(anonymous, 'createCar', { bad: 1 }, 'extra'), 'rate_limited')
  t.is(await codeOf(anonymous, 'noSuchThing', { bad: 1 }, 'extra'), 'unknown_operation')
  const user = await connect((await userToken('user')).token)
  t.is(await codeOf(user, 'createCar', { bad: 1 }, 'extra'), 'forbidden')
  const admin = await connect((await userToken('admin')).token)
  t.is(await codeOf(admin, 'createCar', { bad: 1 }, 'extra'), 'invalid_input')
  t.is(await codeOf(admin, 'createCar', { name: 'x', pricePerHour: 1 }), 'ok')
})

test('unknown and internal operations, and names that mean something to JavaScript', async (t) => {
  const { connect, userToken, calls } = await startGateway(t)
  const socket = await connect((await userToken('admin')).token)
  const names = ['nope', 'authenticate', 'moveFunds', 'tidyThings', 'users.getUser', 'bookings.createBooking', '']
  const special = ['__proto__', 'constructor', 'toString', 'error', 'hasOwnProperty', 'message', 'ping']
  for (const name of [...names, ...special]) t.is(await codeOf(socket, name, {}), 'unknown_operation', name)
  t.is(await codeOf(socket, 7 as unknown as string, {}), 'unknown_operation')
  t.deepEqual(calls, [])
})

const from = '2031-01-01T01:00:00.000Z'
const to = '2031-01-01T02:00:00.000Z'
const raw = (json: string): unknown => JSON.parse(json)
const deep = raw('['.repeat(1000) + ']'.repeat(1000))

const badInputs: [string, string, ...unknown[]][] = [
  ['a wrong type', 'getCar', { carId: 7 }],
  ['a missing field', 'getCar', {}],
  ['no input where one is needed', 'getCar'],
  ['null', 'getCar', null],
  ['a string', 'getCar', CAR],
  ['an array', 'getCar', [CAR]],
  ['a buffer', 'getCar', Buffer.from(CAR)],
  ['a nested buffer', 'getCar', { carId: Buffer.from(CAR) }],
  ['an unknown key', 'getCar', { carId: CAR, other: 1 }],
  ['more than one argument', 'getCar', { carId: CAR }, { carId: CAR }],
  ['an operator for an id', 'getCar', { carId: { $ne: null } }],
  ['an operator for an e-mail', 'signIn', { email: { $gt: '' }, password: 'secret-secret' }],
  ['an operator for a password', 'signIn', { email: 'a@example.com', password: { $regex: '.*' } }],
  ['an operator for a query', 'listUsers', { query: { $where: 'sleep(1000)' } }],
  ['an operator beside the fields', 'listUsers', { $where: '1' }],
  ['__proto__', 'getCar', raw(`{"carId":"${CAR}","__proto__":{"role":"admin"}}`)],
  ['__proto__ further down', 'updateCar', raw(`{"carId":"${CAR}","version":1,"set":{"name":"x","__proto__":{"a":1}}}`)],
  ['constructor', 'getCar', raw(`{"carId":"${CAR}","constructor":{"prototype":{"role":"admin"}}}`)],
  ['nothing but __proto__', 'listCars', raw('{"__proto__":{"limit":1}}')],
  ['a negative amount', 'depositFunds', { userId: USER, amount: -1 }],
  ['nothing to deposit', 'depositFunds', { userId: USER, amount: 0 }],
  ['a fraction', 'depositFunds', { userId: USER, amount: 0.5 }],
  ['an unsafe integer', 'depositFunds', { userId: USER, amount: 2 ** 53 }],
  ['a huge number', 'depositFunds', { userId: USER, amount: 1e300 }],
  ['NaN, which JSON makes null', 'depositFunds', { userId: USER, amount: NaN }],
  ['Infinity', 'depositFunds', { userId: USER, amount: Infinity }],
  ['an amount in a string', 'depositFunds', { userId: USER, amount: '5' }],
  ['a price over the maximum', 'createCar', { name: 'x', pricePerHour: 1e12 + 1 }],
  ['a negative price', 'createCar', { name: 'x', pricePerHour: -1 }],
  ['a blank name', 'createCar', { name: '   ', pricePerHour: 1 }],
  ['from after to', 'createBooking', { carId: CAR, from: to, to: from }],
  ['from equal to to', 'createBooking', { carId: CAR, from, to: from }],
  ['a time without its offset', 'createBooking', { carId: CAR, from: '2031-01-01T01:00:00', to }],
  ['a time that does not exist', 'createBooking', { carId: CAR, from: '2031-02-30T01:00:00.000Z', to }],
  ['an offset without its colon', 'createBooking', { carId: CAR, from: '2031-01-01T01:00:00.000+0100', to }],
  ['from without to', 'listCars', { from }],
  ['a limit over the maximum', 'listCars', { limit: 201 }],
  ['an upper-case id', 'getCar', { carId: 'C'.repeat(24) }],
  ['a deep nesting', 'getCar', { carId: deep }],
  ['a large input', 'createCar', { name: 'x'.repeat(MAX_REQUEST_CHARS), pricePerHour: 1 }],
  ['thousands of keys', 'getCar', Object.fromEntries(Array.from({ length: 8000 }, (_, i) => [`key${i}`, i]))],
]

test('broken inputs are invalid_input, reach no function and harm nobody', async (t) => {
  const { connect, userToken, calls } = await startGateway(t, { env: { RATE_LIMIT_PER_SECOND: '0' } })
  const { token } = await userToken('admin')
  const socket = await connect(token)
  const bystander = await connect()
  for (const [what, operation, ...args] of badInputs) {
    const result = await send(socket, operation, ...args)
    if (result.ok) {
      t.fail(what)
      continue
    }
    t.like(result.error, { code: 'invalid_input', retryable: false }, what)
    const issues = result.error.details?.issues as { path: string; message: string }[]
    t.true(issues.length > 0 && issues.length <= 20, what)
    t.true(JSON.stringify(result).length < 20_000, what)
  }
  t.deepEqual(calls, [])
  t.true(bystander.connected && socket.connected)
  t.is(({} as { role?: string }).role, undefined)
})

test('a message over the hard limit closes the connection and says why', async (t) => {
  const { connect, calls } = await startGateway(t)
  const socket = await connect(undefined, { reconnection: false })
  const bystander = await connect()
  const closed = new Promise<{ reason: string; code: unknown }>((resolve) =>
    socket.once('disconnect', (reason, details) => {
      resolve({ reason, code: (details as { context?: { code?: number } }).context?.code })
    }),
  )
  await t.throwsAsync(send(socket, 'getStatus', { domain: 'x'.repeat(3_000_000) }))
  t.deepEqual(await closed, { reason: 'transport close', code: 1009 })
  t.is(await codeOf(bystander, 'getStatus'), 'ok')
  t.is(calls.length, 1)
})

test('packets that are none end their own connection alone', async (t) => {
  const { connect } = await startGateway(t)
  const bystander = await connect()
  const packets = ['9', '2["connect"]', '2{"a":1}', '51-["getStatus",{"_placeholder":true,"num":0}]x', '4"x"', '0null']
  for (const packet of [...packets, '2' + 'x'.repeat(200_000)]) {
    const socket = await connect(undefined, { reconnection: false })
    socket.io.engine.write(packet)
    await until(() => socket.disconnected, { what: packet.slice(0, 50) })
  }
  const socket = await connect(undefined, { reconnection: false })
  const nested = '['.repeat(40_000) + ']'.repeat(40_000)
  for (const packet of ['2', '20', '2["getStatus"]', '2[7]', '3[]', '399[]', `21["getStatus",${nested}]`]) {
    socket.io.engine.write(packet)
  }
  t.is(await codeOf(socket, 'getStatus'), 'ok')
  t.is(await codeOf(bystander, 'getStatus'), 'ok')
})

test('a request without an acknowledgement is dropped', async (t) => {
  const { connect, calls } = await startGateway(t)
  const socket = await connect()
  socket.emit('getStatus', { domain: 'dropped' })
  t.is(await codeOf(socket, 'getStatus', { domain: 'answered' }), 'ok')
  t.deepEqual(
    calls.map(({ input }) => input),
    [{ domain: 'answered' }],
  )
})

test('what reaches the function: parsed input, an id, the caller, a request id, what is left of the deadline', async (t) => {
  const { connect, userToken, calls, config } = await startGateway(t, {
    answer: ({ requestId }) => ({
      ok: false,
      error: { code: 'car_retired', message: 'As the function put it.', retryable: false, requestId },
    }),
  })
  const { userId, token } = await userToken()
  const socket = await connect(token)
  const result = await send(socket, 'createBooking', { carId: CAR, from, to })
  const [call] = calls
  t.like(call, { operation: 'bookings.createBooking', caller: { userId, role: 'user' } })
  t.like(call?.input, { carId: CAR, from, to })
  t.regex((call?.input as { bookingId: string }).bookingId, /^[0-9a-f]{24}$/)
  t.true(call !== undefined && call.ttlMs > 0 && call.ttlMs <= config.deadlinesMs.money)
  t.deepEqual(result, {
    ok: false,
    error: {
      code: 'car_retired',
      message: 'As the function put it.',
      retryable: false,
      requestId: call?.requestId ?? '',
    },
  })

  await send(socket, 'listCars')
  t.deepEqual(calls.at(-1)?.input, { limit: 50 })
  await send(socket, 'createBooking', { bookingId: USER, carId: CAR, from, to })
  t.is((calls.at(-1)?.input as { bookingId: string }).bookingId, USER)
})

test('a defect is internal, and nothing of it shows', async (t) => {
  const { connect } = await startGateway(t, {
    answer: () => {
      throw new Error('the secret path of the database')
    },
  })
  const result = await send(await connect(), 'getStatus')
  t.false(result.ok)
  if (!result.ok) t.is(result.error.code, 'internal')
  t.notRegex(JSON.stringify(result), /secret|stack/)
})

test('pages of other origins are refused', async (t) => {
  const { connect, port } = await startGateway(t)
  const page = (origin: string) => connect(undefined, { extraHeaders: { origin }, reconnection: false })
  const error = await t.throwsAsync<Error & { context?: { statusCode?: number } }>(page('https://evil.example'))
  t.is(error?.message, 'websocket error')
  await t.notThrowsAsync(page(`http://127.0.0.1:${port}`))
  await t.notThrowsAsync(page('http://localhost:3000'))

  const configured = testConfig({ ALLOWED_ORIGINS: 'https://app.example' })
  const restricted = await startGateway(t, { overrides: { config: configured } })
  const other = (origin: string) => restricted.connect(undefined, { extraHeaders: { origin }, reconnection: false })
  await t.notThrowsAsync(other('https://app.example'))
  await t.throwsAsync(other('http://localhost:3000'))
  await t.notThrowsAsync(restricted.connect())
})

test('which origins may connect', (t) => {
  const rows: [string | undefined, string[], boolean][] = [
    [undefined, [], true],
    ['http://gateway.example:8080', [], true],
    ['http://gateway.example', [], false],
    ['http://gateway.example:8080.evil.example', [], false],
    ['http://localhost', [], true],
    ['http://localhost.evil.example', [], false],
    ['http://127.0.0.1.evil.example', [], false],
    ['http://127.9.9.9:1', [], true],
    ['http://[::1]:5173', [], true],
    ['null', [], false],
    ['', [], false],
    ['file://localhost', [], false],
    [undefined, ['https://app.example'], true],
    ['https://app.example', ['https://app.example'], true],
    ['https://app.example.evil.example', ['https://app.example'], false],
    ['http://localhost', ['https://app.example'], false],
  ]
  for (const [origin, allowed, expected] of rows) {
    t.is(originAllowed(origin, 'gateway.example:8080', allowed), expected, `${origin} ${allowed.join()}`)
  }
})

import test from 'ava'
import { createLimits } from '../../gateway/limits.js'
import { createBucket } from '../../platform/http/bucket.js'
import { network } from '../../platform/http/network.js'
import { until } from '../../proof/support/until.js'
import { codeOf, send, startGateway } from './support.js'

test('a bucket holds its burst, refills at its rate, and says how long to wait', (t) => {
  const bucket = createBucket(10, 20)
  for (let i = 0; i < 20; i++) t.is(bucket.take(1000), 0)
  t.is(bucket.take(1000), 100)
  t.is(bucket.take(1050), 50)
  t.is(bucket.take(1100), 0)
  for (let i = 0; i < 20; i++) t.is(bucket.take(60_000), 0)
  t.true(bucket.take(60_000) > 0)
})

test('limits of a socket, of its address, of passwords', (t) => {
  let nowMs = 1000
  const limits = createLimits(10, () => nowMs)
  const one = limits.admit('10.0.0.1')
  const other = limits.admit('10.0.0.1')
  const elsewhere = limits.admit('10.0.0.2')
  if (!one || !other || !elsewhere) return t.fail()
  for (let i = 0; i < 10; i++) t.is(one.take(true), 0)
  t.true(one.take(true) > 0, 'passwords')
  t.true(other.take(true) > 0, 'passwords, by another socket of the address')
  t.is(elsewhere.take(true), 0)
  for (let i = 0; i < 9; i++) t.is(one.take(false), 0)
  t.is(one.take(false), 100, 'the socket')
  t.is(other.take(false), 0)
  nowMs += 100
  t.is(one.take(false), 0)
})

test('an address has so many connections and requests, and reconnecting does not refill them', (t) => {
  const limits = createLimits(1, () => 1000)
  const admitted = Array.from({ length: 12 }, () => limits.admit('::ffff:10.0.0.1'))
  t.is(admitted.filter(Boolean).length, 10, 'connections')
  t.truthy(limits.admit('10.0.0.2'))
  for (const each of admitted) each?.release()
  const again = Array.from({ length: 12 }, () => limits.admit('10.0.0.1')?.take(false))
  t.true(again.includes(undefined), 'the bucket of the address was not refilled')
})

test('a rate of 0 limits nothing', (t) => {
  const limits = createLimits(0)
  for (let i = 0; i < 100_000; i++) t.is(limits.admit('10.0.0.1')?.take(true), 0)
})

test('IPv6 hosts count by their network', (t) => {
  t.is(network('::ffff:10.0.0.1'), '10.0.0.1')
  t.is(network('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64')
  t.is(network('2001:db8:1:2::9'), '2001:db8:1:2::/64')
  t.is(network('2001:db8::9'), '2001:db8:0:0::/64')
  t.is(network('::1'), '0:0:0:0::/64')
})

test('a flood is limited, then cut off; others are served, and nothing of it reaches a function', async (t) => {
  const harness = await startGateway(t, { env: { RATE_LIMIT_PER_SECOND: '10' } })
  const flooder = await harness.connect(undefined, { reconnection: false })
  const other = await harness.connect()
  const answers = await Promise.all(Array.from({ length: 60 }, () => send(flooder, 'getStatus', { domain: 'flood' })))
  const limited = answers.flatMap((answer) => (answer.ok ? [] : [answer.error]))
  t.true(limited.length >= 35)
  for (const error of limited) {
    t.like(error, { code: 'rate_limited', retryable: true })
    const { retryAfterMs } = error.details as { retryAfterMs: number }
    t.true(retryAfterMs > 0 && retryAfterMs <= 100)
  }
  t.true(harness.calls.length <= 25)

  const flood = Array.from({ length: 400 }, () => send(flooder, 'getStatus', { domain: 'flood' }))
  await Promise.allSettled(flood)
  await until(() => flooder.disconnected)
  t.false(flooder.active, 'it does not come back by itself')
  t.true(harness.calls.length <= 40)
  t.true(other.connected)
})

test('passwords are limited far below other requests, per address', async (t) => {
  const harness = await startGateway(t, { env: { RATE_LIMIT_PER_SECOND: '20' } })
  const sockets = await Promise.all([harness.connect(), harness.connect()])
  const guess = { email: 'ada@example.com', password: 'guess-guess' }
  const codes = await Promise.all(
    sockets.flatMap((socket) => Array.from({ length: 15 }, () => codeOf(socket, 'signIn', guess))),
  )
  t.is(codes.filter((code) => code === 'ok').length, 20)
  t.is(codes.filter((code) => code === 'rate_limited').length, 10)
  t.is(await codeOf(sockets[0], 'getStatus'), 'ok')
})

test('where a request comes from is told to what counts by it, and to nothing else', async (t) => {
  const harness = await startGateway(t)
  const { token, userId } = await harness.userToken()
  const socket = await harness.connect(token)
  const password = 'correct horse'
  await codeOf(socket, 'signUp', { email: 'ada@example.com', password })
  await codeOf(socket, 'changePassword', { oldPassword: password, newPassword: 'another horse' })
  await codeOf(socket, 'getUser', { userId })
  t.deepEqual(
    harness.calls.map(({ operation, address }) => [operation, address]),
    [
      ['users.signUp', '127.0.0.1'],
      ['users.changePassword', '127.0.0.1'],
      ['users.getUser', undefined],
    ],
  )
})

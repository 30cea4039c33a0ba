import test from 'ava'
import { CallError, connect, newId } from '../../client/src/index.js'
import { toPublicError, Refusal } from '../../platform/contract/errors.js'
import type { Envelope } from '../../platform/runtime/transport.js'
import { until } from '../../proof/support/until.js'
import { startGateway, testConfig, type Answering } from './support.js'

const PERIOD = { from: '2031-01-01T01:00:00.000Z', to: '2031-01-01T02:00:00.000Z' }
const fail = (envelope: Envelope, code: 'unavailable' | 'rate_limited' | 'car_retired') =>
  ({ ok: false, error: toPublicError(new Refusal(code, code), envelope.requestId) }) as const

const failing = (times: number, code: 'unavailable' | 'rate_limited'): Answering => {
  let left = times
  return (envelope) => (left-- > 0 ? fail(envelope, code) : { ok: true, data: { done: true } })
}

test('a create is sent again with the id of the first attempt', async (t) => {
  const harness = await startGateway(t, { answer: failing(2, 'unavailable') })
  const client = await connect(`http://127.0.0.1:${harness.port}`, { token: (await harness.userToken()).token })
  t.teardown(client.close)
  t.deepEqual(await client.call('createBooking', { carId: newId(), ...PERIOD }), { done: true } as never)
  const ids = harness.calls.map(({ input }) => (input as { bookingId: string }).bookingId)
  t.is(ids.length, 3)
  t.is(new Set(ids).size, 1)
})

test('what is not idempotent is sent again only when it was not done', async (t) => {
  const { port, userToken, calls } = await startGateway(t, { answer: failing(1, 'unavailable') })
  const client = await connect(`http://127.0.0.1:${port}`, { token: (await userToken('admin')).token })
  t.teardown(client.close)
  const update = { carId: newId(), version: 1, set: { retired: true } }
  const error = await t.throwsAsync(client.call('updateCar', update), { instanceOf: CallError })
  t.like(error, { code: 'unavailable', retryable: true, requestId: calls[0]?.requestId })
  t.is(calls.length, 1)

  const limited = await startGateway(t, { answer: failing(1, 'rate_limited') })
  const second = await connect(`http://127.0.0.1:${limited.port}`, {
    token: (await limited.userToken('admin')).token,
  })
  t.teardown(second.close)
  await second.call('updateCar', update)
  t.is(limited.calls.length, 2)
})

test('a refusal that is final is thrown at once, typed', async (t) => {
  const { port, userToken, calls } = await startGateway(t, { answer: (envelope) => fail(envelope, 'car_retired') })
  const client = await connect(`http://127.0.0.1:${port}`, { token: (await userToken()).token })
  t.teardown(client.close)
  const error = await t.throwsAsync(client.call('getCar', { carId: newId() }), { instanceOf: CallError })
  t.like(error, { code: 'car_retired', retryable: false })
  t.is(calls.length, 1)
})

test('retries end with the deadline', async (t) => {
  const { port } = await startGateway(t, { answer: failing(1000, 'unavailable') })
  const client = await connect(`http://127.0.0.1:${port}`)
  t.teardown(client.close)
  const startedAtMs = performance.now()
  await t.throwsAsync(client.call('getStatus', {}, { deadlineMs: 500 }), { instanceOf: CallError })
  t.true(performance.now() - startedAtMs < 1000)
})

test('what a stopping gateway left open is sent to the next one, as the same request', async (t) => {
  const first = await startGateway(t, {
    answer: () => new Promise(() => {}),
    overrides: { config: { ...testConfig(), drainMs: 2000 } },
  })
  const { userId, token } = await first.userToken()
  const client = await connect(`http://127.0.0.1:${first.port}`, { token })
  t.teardown(client.close)
  const booking = client.call('createBooking', { carId: newId(), ...PERIOD })
  await until(() => first.calls.length === 1)
  await first.gateway.drain()
  const config = testConfig()
  const second = await startGateway(t, {
    overrides: { config: { ...config, gateway: { ...config.gateway, port: first.port } } },
  })
  second.users.set(userId, { role: 'user', tokenVersion: 1 })
  const { bookingId } = (await booking) as unknown as { bookingId: string }
  t.like(first.calls[0]?.input, { bookingId })
})

test('a refused token and an address without a gateway are told apart', async (t) => {
  const { port } = await startGateway(t)
  const url = `http://127.0.0.1:${port}`
  const refused = await t.throwsAsync(connect(url, { token: 'nonsense' }), { instanceOf: CallError })
  t.is(refused?.code, 'unauthenticated')
  const nobody = await t.throwsAsync(connect('http://127.0.0.1:1', { deadlineMs: 300 }), { instanceOf: CallError })
  t.is(nobody?.code, 'unavailable')
})

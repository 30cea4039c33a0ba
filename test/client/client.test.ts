import test from 'ava'
import { CallError, connect, newId, type Status } from '../../client/src/index.js'
import { createFeed, type Entry, type Gap } from '../../client/src/following.js'
import { toPublicError, Refusal } from '../../platform/contract/errors.js'
import { startProxy } from '../../proof/support/proxy.js'
import { until } from '../../proof/support/until.js'
import { startGateway } from '../gateway/support.js'

const PERIOD = { from: new Date('2031-01-01T01:00:00.000Z'), to: '2031-01-01T02:00:00.000Z' }
const urlOf = ({ port }: { port: number }): string => `http://127.0.0.1:${port}`

test('each operation is a method, times may be Dates, and what this version does not know is called by name', async (t) => {
  const gateway = await startGateway(t)
  const { token } = await gateway.userToken()
  const holdfast = await connect(urlOf(gateway), { token })
  t.teardown(holdfast.close)
  const carId = newId()
  await holdfast.createBooking({ carId, ...PERIOD })
  t.like(gateway.calls[0]?.input, { carId, from: '2031-01-01T01:00:00.000Z', to: '2031-01-01T02:00:00.000Z' })
  await holdfast.getStatus()
  const unknown = await t.throwsAsync(holdfast.call('inventTime', {}), { instanceOf: CallError })
  t.is(unknown?.code, 'unknown_operation')
})

/** Nobody calls it: the compiler checks that each wrong line is an error. */
export async function typed(): Promise<void> {
  const holdfast = await connect('http://127.0.0.1')
  const booking = await holdfast.createBooking({ carId: '', from: new Date(), to: '' })
  const state: 'INITIAL' | 'PENDING' | 'APPLIED' | 'COMMITTED' | 'CANCELLING' | 'CANCELLED' = booking.state
  // @ts-expect-error a car has a price
  await holdfast.createCar({ name: state })
  // @ts-expect-error an hour is a number
  await holdfast.createCar({ name: 'Kombi', pricePerHour: '1' })
  // @ts-expect-error clients do not move funds: the operation is internal
  const internal: keyof typeof holdfast = 'moveFunds'
  void internal
}

test('a token that is a function is asked before each connect, and once more when it is refused', async (t) => {
  const gateway = await startGateway(t)
  const { token } = await gateway.userToken()
  const tokens = ['nonsense', token]
  let asked = 0
  const holdfast = await connect(urlOf(gateway), { token: () => Promise.resolve(tokens[asked++] ?? token) })
  t.teardown(holdfast.close)
  t.is(asked, 2)

  const revoked = await gateway.userToken()
  const fresh = [revoked.token, token]
  const other = await connect(urlOf(gateway), { token: () => fresh.shift() ?? token })
  t.teardown(other.close)
  gateway.users.delete(revoked.userId)
  await other.getUser({ userId: newId() })
  t.deepEqual(fresh, [])

  const bad = await t.throwsAsync(connect(urlOf(gateway), { token: () => 'nonsense' }), { instanceOf: CallError })
  t.is(bad?.code, 'unauthenticated')
})

test('what is not safe to send twice fails at once when the connection falls, and says so', async (t) => {
  const gateway = await startGateway(t, { answer: () => new Promise(() => {}) })
  const { token } = await gateway.userToken('admin')
  const proxy = await startProxy({ targetPort: gateway.port, random: () => 1 })
  t.teardown(() => proxy.close())
  const holdfast = await connect(urlOf(proxy), { token })
  t.teardown(holdfast.close)
  const update = holdfast.updateCar({ carId: newId(), version: 1, set: { retired: true } })
  await until(() => gateway.calls.length === 1)
  t.is(holdfast.pendingCalls, 1)
  proxy.reset()
  const error = await t.throwsAsync(update, { instanceOf: CallError })
  t.is(error?.code, 'deadline_exceeded')
  t.regex(error?.message ?? '', /unknown/)
  t.is(gateway.calls.length, 1)
})

test('a defect of the server is tried twice, not for half a minute', async (t) => {
  const gateway = await startGateway(t, {
    answer: ({ requestId }) => ({ ok: false, error: toPublicError(new Refusal('internal', 'A defect.'), requestId) }),
  })
  const holdfast = await connect(urlOf(gateway), { token: (await gateway.userToken()).token })
  t.teardown(holdfast.close)
  const error = await t.throwsAsync(holdfast.listCars(), { instanceOf: CallError })
  t.is(error?.code, 'internal')
  t.is(gateway.calls.length, 2)
})

test('an AbortSignal ends the waiting, also before anything is sent', async (t) => {
  const gateway = await startGateway(t, { answer: () => new Promise(() => {}) })
  const holdfast = await connect(urlOf(gateway), { token: (await gateway.userToken()).token })
  t.teardown(holdfast.close)
  const stop = new AbortController()
  const listing = holdfast.listCars({}, { signal: stop.signal })
  await until(() => gateway.calls.length === 1)
  stop.abort(new Error('enough'))
  await t.throwsAsync(listing, { message: 'enough' })
  await t.throwsAsync(holdfast.listCars({}, { signal: stop.signal }), { message: 'enough' })
  t.is(gateway.calls.length, 1)
})

test('the status tells of the connection, until the client is closed', async (t) => {
  const gateway = await startGateway(t)
  const holdfast = await connect(urlOf(gateway))
  t.is(holdfast.status.state, 'online')
  const heard: Status['state'][] = []
  holdfast.onStatus(({ state }) => heard.push(state))
  holdfast.close()
  t.deepEqual(heard, ['closed'])
  const error = await t.throwsAsync(holdfast.getStatus(), { instanceOf: CallError })
  t.is(error?.code, 'unavailable')
})

test('a feed is read in order and once; what the server no longer has is a gap', async (t) => {
  const feed = createFeed({ begin: () => Promise.resolve(), again() {}, end() {} })
  const read = feed.read()
  feed.start(1)
  for (const seq of [1, 2, 2, 5]) feed.push({ name: 'lobby:message', seq })
  const got: (Entry | Gap)[] = []
  for await (const entry of read) if (got.push(entry) === 3) break
  t.deepEqual(got, [
    { name: 'lobby:message', seq: 2 },
    { name: 'gap', after: 2, before: 5 },
    { name: 'lobby:message', seq: 5 },
  ])
})

test('who reads slowly keeps a thousand entries at most, and has the rest told again', async (t) => {
  const told: number[] = []
  let ended = false
  const feed = createFeed({
    begin: () => Promise.resolve(),
    again(own, seq) {
      told.push(seq)
      for (let next = seq + 1; next <= 2500; next++) own.push({ name: 'lobby:message', seq: next })
    },
    end: () => void (ended = true),
  })
  const read = feed.read()
  feed.start(0)
  for (let seq = 1; seq <= 2500; seq++) feed.push({ name: 'lobby:message', seq })
  let last = 0
  for await (const entry of read) {
    t.is((entry as Entry).seq, last + 1)
    if (++last === 2500) break
  }
  t.deepEqual(told, [1000, 2000])
  t.true(ended)
})

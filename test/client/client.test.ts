import test from 'ava'
import {
  CallError,
  connect,
  isRefusal,
  newId,
  type CommonCode,
  type RefusalOf,
  type Status,
} from '../../client/src/index.js'
import { createReader, type Entry, type Gap, type Reader } from '../../client/src/reader.js'
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
  // @ts-expect-error nobody updates a booking's price
  await holdfast.update({ bookingId: '' }, (newest) => ({ cost: newest.cost }))
}

test('a token that is a function is asked before each connect, and once more when it is refused', async (t) => {
  const gateway = await startGateway(t)
  const { token } = await gateway.userToken()
  const tokens = ['nonsense', token]
  let asked = 0
  const holdfast = await connect(urlOf(gateway), { token: () => Promise.resolve(tokens[asked++] ?? token) })
  t.teardown(holdfast.close)
  t.is(asked, 2)

  const revoked = await gateway.userToken('admin')
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

test('what waits for a connection is not sent any more once it is aborted, nor does it end in doubt', async (t) => {
  const gateway = await startGateway(t)
  const proxy = await startProxy({ targetPort: gateway.port, random: () => 1 })
  const holdfast = await connect(urlOf(proxy), { token: (await gateway.userToken('admin')).token })
  t.teardown(holdfast.close)
  await proxy.close()
  await until(() => holdfast.status.state === 'offline')
  const stop = new AbortController()
  const aborted = holdfast.createBooking({ carId: newId(), ...PERIOD }, { signal: stop.signal })
  stop.abort(new Error('never mind'))
  await t.throwsAsync(aborted, { message: 'never mind' })
  const late = holdfast.updateCar({ carId: newId(), version: 1, set: { retired: true } }, { deadlineMs: 100 })
  const error = await t.throwsAsync(late, { instanceOf: CallError })
  t.like(error, { code: 'unavailable', operation: 'updateCar' })
  t.regex(error?.message ?? '', /was not sent/)
  const again = await startProxy({ targetPort: gateway.port, port: proxy.port, random: () => 1 })
  t.teardown(() => again.close())
  await holdfast.listCars()
  t.deepEqual(
    gateway.calls.map(({ operation }) => operation),
    ['bookings.listCars'],
  )
})

test('a refusal is known by its operation, and its code is one of that', async (t) => {
  const gateway = await startGateway(t, {
    answer: ({ requestId }) => ({
      ok: false,
      error: toPublicError(new Refusal('car_retired', 'Retired.'), requestId),
    }),
  })
  const holdfast = await connect(urlOf(gateway), { token: (await gateway.userToken()).token })
  t.teardown(holdfast.close)
  try {
    await holdfast.createBooking({ carId: newId(), ...PERIOD })
    t.fail()
  } catch (error) {
    t.false(isRefusal(error, 'createCar'))
    if (!isRefusal(error, 'createBooking')) throw error
    const own: RefusalOf<'createBooking'> | CommonCode = error.code
    t.is(own, 'car_retired')
    // @ts-expect-error no booking is refused for an e-mail address
    t.false(error.code === 'email_taken')
  }
})

test('an update is made from the newest value, however often others are faster, and never twice', async (t) => {
  let stored = { id: newId(), version: 1, pricePerHour: 100 }
  let mishap: 'overtaken' | 'lost' | 'done, and lost' | undefined = 'overtaken'
  const refuse = (code: 'version_conflict' | 'unavailable', requestId: string) =>
    ({ ok: false, error: toPublicError(new Refusal(code, code), requestId) }) as const
  const gateway = await startGateway(t, {
    answer({ operation, input, requestId }) {
      if (operation === 'bookings.getCar') return { ok: true, data: stored }
      const { version, set } = input as { version: number; set: { pricePerHour: number } }
      const now = mishap
      mishap = undefined
      if (now === 'lost') return refuse('unavailable', requestId)
      if (now === 'overtaken') stored = { ...stored, version: stored.version + 1, pricePerHour: 500 }
      if (version !== stored.version) return refuse('version_conflict', requestId)
      stored = { ...stored, ...set, version: stored.version + 1 }
      return now ? refuse('unavailable', requestId) : { ok: true, data: stored }
    },
  })
  const holdfast = await connect(urlOf(gateway), { token: (await gateway.userToken('admin')).token })
  t.teardown(holdfast.close)
  const raise = () => holdfast.update({ carId: stored.id }, (car) => ({ pricePerHour: car.pricePerHour + 10 }))
  t.is((await raise()).pricePerHour, 510)
  mishap = 'lost'
  t.is((await raise()).pricePerHour, 520)
  mishap = 'done, and lost'
  await t.throwsAsync(raise(), { message: /unknown/ })
  t.is(stored.pricePerHour, 530)
  t.is((await holdfast.update({ carId: stored.id }, () => undefined)).pricePerHour, 530)
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
  const reader = createReader({ behind() {}, ended() {} })
  reader.told({ from: 1, head: 1 })
  for (const seq of [1, 2, 2, 5]) reader.push({ name: 'lobby:message', seq })
  const got: (Entry | Gap)[] = []
  for await (const entry of reader) if (got.push(entry) === 3) break
  t.deepEqual(got, [
    { name: 'lobby:message', seq: 2 },
    { name: 'gap', after: 2, before: 5 },
    { name: 'lobby:message', seq: 5 },
  ])
})

test('who reads slowly keeps a thousand entries at most, and has the rest told again', async (t) => {
  const told: number[] = []
  let ended = false
  const reader: Reader = createReader({
    behind() {
      const from = reader.seq() ?? 0
      told.push(from)
      // Of the old connection: told before the answer, so it is not what comes next.
      reader.push({ name: 'lobby:message', seq: 2600 })
      reader.told({ from, head: 2600 })
      for (let next = from + 1; next <= 2500; next++) reader.push({ name: 'lobby:message', seq: next })
    },
    ended: () => void (ended = true),
  })
  reader.told({ from: 0, head: 0 })
  for (let seq = 1; seq <= 2500; seq++) reader.push({ name: 'lobby:message', seq })
  let last = 0
  for await (const entry of reader) {
    t.is((entry as Entry).seq, last + 1)
    if (++last === 2500) break
  }
  t.deepEqual(told, [1000, 2000])
  t.true(ended)
})

test('whoever was told from further on than they are asks again', (t) => {
  let asked = 0
  const reader = createReader({ lastSeq: 3, behind: () => void asked++, ended() {} })
  reader.told({ from: 9, head: 9 })
  t.false(reader.push({ name: 'lobby:message', seq: 10 }))
  t.is(asked, 1)
  reader.told({ from: 3, head: 10 })
  t.true(reader.push({ name: 'lobby:message', seq: 4 }))
})

test('a loop ends from outside, and with what its feed ended for', async (t) => {
  const reader = createReader({ behind() {}, ended() {} })
  const reading = (async () => {
    for await (const entry of reader) t.fail(JSON.stringify(entry))
  })()
  reader.end()
  await reading
  await t.notThrowsAsync(reader.following)

  const failed = createReader({ behind() {}, ended() {} })
  failed.finish(new CallError({ code: 'lobby_not_found', message: 'gone', retryable: false, requestId: '' }))
  await t.throwsAsync(failed.following, { message: 'gone' })
  await t.throwsAsync(
    async () => {
      for await (const entry of failed) t.fail(JSON.stringify(entry))
    },
    { message: 'gone' },
  )
})

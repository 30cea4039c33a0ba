import test from 'ava'
import { ACCEPTED } from '../../../proof/bench/arms/arm.js'
import { closedLoop, openLoop, runAll } from '../../../proof/bench/load.js'
import { median, percentile, seededRandom, zipf } from '../../../proof/support/numbers.js'
import { requestsOf, USERS, WORKLOADS, type BookingRequest, type Workload } from '../../../proof/bench/workload.js'

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const common = { warmUpMs: 20, measureMs: 200, onWindow: () => Promise.resolve(), done: () => {} }

test('percentiles are values that were measured', (t) => {
  const values = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
  t.deepEqual(
    [0, 0.5, 0.95, 1].map((share) => percentile(values, share)),
    [1, 5, 10, 10],
  )
  t.is(percentile([], 0.5), 0)
  t.is(median([4, 1, 3]), 3)
  t.is(median([4, 1, 3, 2]), 2.5)
})

test('Zipf(1.0) gives the first of 1,000 an eighth of the draws, Zipf(2.0) most', (t) => {
  const shareOfFirst = (exponent: number) => {
    const draw = zipf(1000, exponent, seededRandom(1))
    return Array.from({ length: 20_000 }, draw).filter((each) => each === 0).length / 20_000
  }
  t.true(Math.abs(shareOfFirst(0) - 0.001) < 0.001)
  t.true(Math.abs(shareOfFirst(1) - 0.134) < 0.01)
  t.true(Math.abs(shareOfFirst(2) - 0.608) < 0.01)
})

test('no user has two requests in flight, and no car two for the same hour', (t) => {
  for (const workload of Object.keys(WORKLOADS) as Workload[]) {
    const source = requestsOf(workload, 1)
    const inFlight = new Map<number, BookingRequest>()
    const hours = new Set<string>()
    for (let n = 0; n < 5000; n++) {
      const request = source.next()
      if (request) {
        t.false(inFlight.has(request.user))
        inFlight.set(request.user, request)
        const hour = `${request.carId.toHexString()} ${request.from.toISOString()}`
        t.false(hours.has(hour))
        hours.add(hour)
      }
      const [oldest] = inFlight.values()
      if (oldest && (!request || inFlight.size > 64)) {
        source.done(oldest)
        inFlight.delete(oldest.user)
      }
    }
    t.true(hours.size >= 2000, workload)
  }
})

test('when every user has a request in flight there is none', (t) => {
  const source = requestsOf('uniform', 1)
  for (let n = 0; n < USERS; n++) t.truthy(source.next())
  t.is(source.next(), undefined)
})

test('the closed loop keeps so many in flight', async (t) => {
  let now = 0
  let most = 0
  const tally = await closedLoop({
    ...common,
    inFlight: 5,
    next: () => 1,
    async send() {
      most = Math.max(most, ++now)
      await wait(5)
      now--
      return ACCEPTED
    },
  })
  t.is(most, 5)
  t.true(tally.accepted > 0 && tally.acknowledged >= tally.accepted)
  t.is(tally.offered, tally.acknowledged)
})

test('the open loop counts the time that a request waited to be sent', async (t) => {
  // One at a time, 20 ms each, 100 a second: each request starts 10 ms later than the one before it should have.
  let busy = false
  const tally = await openLoop({
    ...common,
    perSecond: 100,
    next: () => (busy ? undefined : 1),
    async send() {
      busy = true
      await wait(20)
      return ACCEPTED
    },
    done: () => void (busy = false),
  })
  t.true(tally.p99 > 60, `${tally.p99}`)
})

test('every request is sent once', async (t) => {
  const sent: number[] = []
  await runAll([1, 2, 3, 4, 5], 2, async (request) => {
    await wait(1)
    sent.push(request)
  })
  t.deepEqual(sent.sort(), [1, 2, 3, 4, 5])
})

test('refusals and failures count apart, with their reasons', async (t) => {
  let n = 0
  const tally = await closedLoop({
    ...common,
    inFlight: 1,
    next: () => n++ % 3,
    async send(kind) {
      await wait(1)
      if (kind === 0) return ACCEPTED
      return kind === 1 ? { result: 'refused', why: 'car_unavailable' } : { result: 'failed', why: 'no answer' }
    },
  })
  t.true(tally.accepted > 0 && tally.refused > 0 && tally.failed > 0)
  t.deepEqual(Object.keys(tally.reasons).sort(), ['car_unavailable', 'no answer'])
  t.is(tally.unknown, tally.reasons['no answer'] ?? 0)
})

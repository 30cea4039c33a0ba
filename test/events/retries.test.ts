import test from 'ava'
import mongoose from 'mongoose'
import { DEAD_AFTER, retryDelayMs, verdictOn } from '../../platform/events/retries.js'
import type { DeliveryFailure, StoredEvent } from '../../platform/events/events.js'

const AT = new Date('2031-01-01T00:00:00.000Z')
const failure = (subscriber: string): DeliveryFailure => ({
  at: AT,
  subscriber,
  code: 'internal',
  message: 'no',
  requestId: 'r',
})

const event = (failures: DeliveryFailure[]): StoredEvent => ({
  _id: new mongoose.Types.ObjectId(),
  type: 'thing:changed',
  aggregate: { type: 'thing', id: new mongoose.Types.ObjectId() },
  version: 1,
  payload: '{}',
  isLocked: true,
  failures,
  createdAt: AT,
})

const verdict = (earlier: string[], now: string[], told = now) =>
  verdictOn(event(earlier.map(failure)), { told, failures: now.map(failure), at: AT, random: () => 0 })

test('each retry is twice as late, at random within half of it, and never later than five minutes', (t) => {
  const latest = Array.from({ length: DEAD_AFTER - 1 }, (_, i) => retryDelayMs(i + 1, () => 1))
  const earliest = Array.from({ length: DEAD_AFTER - 1 }, (_, i) => retryDelayMs(i + 1, () => 0))
  t.deepEqual(latest.slice(0, 4), [400, 800, 1600, 3200])
  t.deepEqual(latest.slice(-3), [300_000, 300_000, 300_000])
  t.deepEqual(
    earliest,
    latest.map((each) => each / 2),
  )
})

test('the 15th failure of one subscriber makes it dead, those of several do not add up', (t) => {
  const fourteen = Array.from({ length: DEAD_AFTER - 1 }, () => 'a.one')
  t.is(verdict(fourteen, ['a.one']).retryAt, null)
  t.truthy(verdict(fourteen, ['a.two']).retryAt)
  t.truthy(verdict(fourteen.slice(1), ['a.one', 'a.two']).retryAt)
})

test('who answered is not told again', (t) => {
  t.deepEqual(verdict([], ['a.two'], ['a.one', 'a.two', 'a.three']).deliveredTo, ['a.one', 'a.three'])
})

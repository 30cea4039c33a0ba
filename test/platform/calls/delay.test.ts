import test from 'ava'
import { createDelayMeter } from '../../../platform/calls/delay.js'

test('delay is what a message took beyond the quickest, whatever the clocks say', (t) => {
  for (const apart of [0, 1_000_000, -1_000_000]) {
    let now = 5000
    const delayOf = createDelayMeter(() => now)
    const send = (underWayMs: number): number => {
      const sentAt = now + apart
      now += underWayMs
      return delayOf(sentAt)
    }
    t.is(send(2), 0)
    t.is(send(2), 0)
    t.is(send(9002), 9000)
    t.is(send(1), 0)
    t.is(send(11), 10)
  }
})

test('clocks that drift apart are no delay', (t) => {
  let now = 0
  const delayOf = createDelayMeter(() => now)
  // A tenth of a second an hour.
  for (let minute = 0; minute < 600; minute++) {
    now += 60_000
    t.true(delayOf(now - (minute * 100) / 60) < 10)
  }
})

import test from 'ava'
import { createAlarm } from '../../../platform/lib/alarm.js'

const LONG_MS = 2 ** 30

test('a wait ends at its time, or as soon as it is woken', async (t) => {
  const alarm = createAlarm()
  await alarm.wait(1)
  const woken = alarm.wait(LONG_MS)
  alarm.wake()
  await woken
  t.pass()
})

test('who was woken before it waits does not wait, once', async (t) => {
  const alarm = createAlarm()
  alarm.wake()
  alarm.wake()
  await alarm.wait(LONG_MS)
  let over = false
  const next = alarm.wait(LONG_MS).then(() => (over = true))
  await createAlarm().wait(5)
  t.false(over)
  alarm.wake()
  await next
  t.true(over)
})

import test from 'ava'
import { atMostEvery } from '../../../platform/lib/atMostEvery.js'
import { until } from '../../../proof/support/until.js'

test('the first call works at once, and all that come soon after it once more', async (t) => {
  let count = 0
  const call = atMostEvery(20, () => count++)
  call()
  t.is(count, 1)
  for (let i = 0; i < 5; i++) call()
  t.is(count, 1)
  await until(() => count === 2)
  call()
  t.is(count, 2, 'the time begins anew')
  await until(() => count === 3)
})

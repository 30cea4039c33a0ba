import test from 'ava'
import { watchFeeds } from '../../gateway/feedWatch.js'
import { until } from '../../proof/support/until.js'
import { createTestSystem } from '../support/system.js'

test('whoever watches feeds is told when the stream has opened, since something may have come before', async (t) => {
  const system = await createTestSystem(t)
  let opened = 0
  const watching = watchFeeds(
    system.config,
    system.log,
  )({ appended: () => t.fail('nothing is appended'), opened: () => void opened++ })
  await until(() => opened > 0)
  await watching.close()
  t.is(opened, 1)
})

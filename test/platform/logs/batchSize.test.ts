import test from 'ava'
import { createBatchSize } from '../../../platform/logs/batchSize.js'

test('a batch that fails makes the next ones smaller, down to one; each that goes well doubles them, up to the limit', async (t) => {
  const batch = createBatchSize(100)
  const fail = () => t.throwsAsync(() => batch.during(() => Promise.reject(new Error('too much'))))
  const sizes: number[] = []
  for (let i = 0; i < 5; i++) {
    await fail()
    sizes.push(batch.now())
  }
  t.deepEqual(sizes, [25, 6, 1, 1, 1])
  t.is(await batch.during(() => Promise.resolve('done')), 'done')
  t.is(batch.now(), 2)
  for (let i = 0; i < 10; i++) await batch.during(() => Promise.resolve())
  t.is(batch.now(), 100)
})

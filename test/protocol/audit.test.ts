import test from 'ava'
import { createTally } from '../../protocol/audit.js'

test('an audit tells the first thousand of a list, and counts a million', (t) => {
  const tally = createTally<number>()
  tally.add([0])
  tally.add(Array.from({ length: 999_999 }, (_, i) => i + 1))
  t.deepEqual(
    tally.told,
    Array.from({ length: 1000 }, (_, i) => i),
  )
  t.is(tally.untold, 999_000)
})

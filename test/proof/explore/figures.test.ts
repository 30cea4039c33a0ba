import test from 'ava'
import { readFile } from 'node:fs/promises'
import { PAGE, withFigures } from '../../../proof/explore/figures.js'

test('the figures on interleavings and mutants in docs/reliability.md are those of the reports', async (t) => {
  const page = await readFile(PAGE, 'utf8')
  t.is(page, withFigures(page), 'node --import=tsx proof/explore/figures.ts')
})

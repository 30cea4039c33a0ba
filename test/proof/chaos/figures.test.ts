import test from 'ava'
import { readFile } from 'node:fs/promises'
import { format, resolveConfig } from 'prettier'
import { PAGE, withFigures } from '../../../proof/chaos/figures.js'

test('the figures in docs/reliability.md are those of the reports in docs/chaos', async (t) => {
  const page = await readFile(PAGE, 'utf8')
  t.is(await format(withFigures(page), { ...(await resolveConfig(PAGE)), filepath: PAGE }), page)
})

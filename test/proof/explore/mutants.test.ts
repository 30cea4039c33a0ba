import test from 'ava'
import { readFile } from 'node:fs/promises'
import { CASES } from '../../../proof/explore/cases.js'
import { MUTANTS } from '../../../proof/explore/mutants.js'

test('every rule that a mutant breaks stands in the source as the mutant expects', async (t) => {
  for (const { name, edits, shows } of MUTANTS) {
    t.true(
      CASES.some((each) => each.name === shows.case),
      name,
    )
    for (const { file, find, replace, times = 1 } of edits) {
      const source = await readFile(file, 'utf8')
      t.is(source.split(find).length - 1, times, `${name}: ${file}: ${find.trim()}`)
      t.not(find, replace)
    }
  }
})

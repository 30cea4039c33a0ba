import test from 'ava'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ERRORS } from '../../platform/contract/errors.js'
import { loadContracts } from '../../platform/runtime/tree.js'

test('docs/reference.html has every operation with its example, every error, no dead anchor, and asks nobody', async (t) => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/reference.html'), 'utf8')
  const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id = '']) => id)
  t.is(new Set(ids).size, ids.length, 'ids are unique')
  const links = [...page.matchAll(/(?:href|src|url)[=(]"?([^")\s>]+)/g)].map(([, link = '']) => link)
  t.deepEqual(
    links.filter((link) => !link.startsWith('#') || !ids.includes(link.slice(1))),
    [],
  )
  for (const { name, access } of (await loadContracts()).values()) {
    const [, section = ''] = new RegExp(`<section id="${name}">([^]*?)</section>`).exec(page) ?? []
    t.is(section.includes('<summary>Example</summary>'), access !== 'internal', name)
  }
  for (const code of Object.keys(ERRORS)) t.true(ids.includes(`error-${code}`), code)
})

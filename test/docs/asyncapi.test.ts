import test from 'ava'
import { Parser } from '@asyncapi/parser'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadContracts, loadNews } from '../../platform/runtime/tree.js'

/** Below it: errors and warnings. */
const HINT: number = 2

test('docs/asyncapi.json is valid, and has every public operation with its answer, and all that sockets are told', async (t) => {
  const text = readFileSync(join(import.meta.dirname, '../../docs/asyncapi.json'), 'utf8')
  const { document, diagnostics } = await new Parser().parse(text)
  t.deepEqual(
    diagnostics.filter(({ severity }) => Number(severity) < HINT).map(({ path, message }) => [path.join('.'), message]),
    [],
  )
  const operations = document?.operations().all() ?? []
  const asked = operations.filter((each) => each.isReceive())
  const open = [...(await loadContracts()).values()].filter(({ access }) => access !== 'internal')
  t.deepEqual(asked.map((each) => each.id()).sort(), open.map(({ name }) => name).sort())
  for (const each of asked) t.is(each.reply()?.messages().length, 1, each.id())

  const told = new Set(
    operations
      .filter((each) => each.isSend())
      .flatMap((each) => each.messages().all())
      .map((each) => each.name()),
  )
  for (const { name } of await loadNews()) t.true(told.has(name), name)
})

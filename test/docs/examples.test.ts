import test from 'ava'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { loadContracts } from '../../platform/runtime/tree.js'
import { createStore } from '../tickets/support.js'
import { appointments, ticket } from './examples/dealings.js'
import { people } from './examples/people.js'
import { createStage, steady } from './examples/recorder.js'
import { things, train } from './examples/things.js'

const FILE = join(import.meta.dirname, '../../docs/examples.json')

/**
 * One story calls every public operation; the first call of each, with its answer, is its example in the docs. After a change
 * that is meant, `EXAMPLES=write npx ava test/docs/examples.test.ts` writes them anew, and `npm run docs` the pages with them.
 */
test('docs/examples.json is what a real system answers, and has every public operation', async (t) => {
  const store = await createStore(t)
  await store.dispatch()
  const stage = createStage(store)
  const { ada, bob } = await people(stage)
  await things(stage, ada)
  await train(stage, ada, bob)
  await ticket(stage, ada, bob)
  await appointments(stage, ada, bob)

  const open = [...(await loadContracts()).values()].filter(({ access }) => access !== 'internal')
  const missing = open.filter(({ name }) => !stage.examples.has(name)).map(({ name }) => name)
  t.deepEqual(missing, [], 'without an example')
  const text = await format(JSON.stringify(steady(stage.examples)), { ...(await resolveConfig(FILE)), filepath: FILE })
  if (process.env['EXAMPLES'] === 'write') writeFileSync(FILE, text)
  t.is(text, readFileSync(FILE, 'utf8'), 'EXAMPLES=write npx ava test/docs/examples.test.ts writes it')
})

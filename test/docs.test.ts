import test from 'ava'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { format, resolveConfig } from 'prettier'
import { reference } from '../cli/lib/reference.js'
import { loadFunctions, listTree } from '../platform/runtime/tree.js'

const file = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url))
const read = (path: string): string => readFileSync(file(path), 'utf8')
const tests = (): string =>
  readdirSync(file('test'), { recursive: true, encoding: 'utf8' })
    .filter((each) => each.endsWith('.ts'))
    .map((each) => read(`test/${each}`))
    .join('\n')

test('the reference pages are what the code says: npm run docs writes them', async (t) => {
  for (const [name, text] of await reference()) {
    const path = `docs/${name}`
    const options = { ...(await resolveConfig(file(path))), filepath: file(path) }
    const formatted = name.endsWith('.html') ? text : await format(text, options)
    t.is(read(path), formatted, path)
  }
})

test('every function of the tree has a contract, and the other way round', async (t) => {
  t.is((await loadFunctions()).length, listTree().length)
})

test('every function is called by a test', (t) => {
  const text = tests()
  const untested = listTree().filter(({ operation }) => !new RegExp(`\\b${operation}\\b`).test(text))
  t.deepEqual(untested, [], 'a function without a test is a promise without a witness')
})

test('every npm command that the README names exists', (t) => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  const named = [...read('README.md').matchAll(/npm (?:run (?:-s )?([a-z]+)|(start|stop|test|ci)\b)/g)].map(
    (m) => m[1] ?? m[2] ?? '',
  )
  const known = new Set([...Object.keys(scripts), 'ci'])
  t.deepEqual(
    named.filter((name) => !known.has(name)),
    [],
  )
})

test('the README shows examples/session.js as it is', (t) => {
  t.true(read('README.md').includes(read('examples/session.js').trim()))
})

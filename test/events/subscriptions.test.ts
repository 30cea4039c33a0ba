import test from 'ava'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadContracts, loadEvents, loadNews } from '../../platform/runtime/tree.js'

const FUNCTIONS = join(import.meta.dirname, '..', '..', 'functions')

test('every type that is subscribed to is emitted by somebody: a misspelt one would never come', async (t) => {
  const emitted = new Set((await loadEvents()).map(({ type }) => type))
  const subscribed = [...(await loadContracts()).values()].flatMap(({ subscribes = [] }) => subscribes)
  t.true(subscribed.length > 0)
  const unheardOf = [...new Set(subscribed)].filter((type) => !emitted.has(type))
  t.deepEqual(unheardOf, [])
})

test('every type that a contract promises is emitted by its domain', async (t) => {
  const sources = readdirSync(FUNCTIONS, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('contract.ts'))
    .map((file) => ({ file, source: readFileSync(join(FUNCTIONS, file), 'utf8') }))
  const promised = await loadEvents()
  t.is(new Set(promised.map(({ type }) => type)).size, promised.length)
  for (const { domain, type } of promised)
    t.true(
      sources.some(({ file, source }) => file.startsWith(`${domain}/`) && source.includes(`'${type}'`)),
      type,
    )
})

test('every name under which sockets are told anything stands in a contract', async (t) => {
  const known = new Set((await loadNews()).map(({ name }) => name))
  const named = readdirSync(FUNCTIONS, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('contract.ts'))
    .flatMap((file) => [...readFileSync(join(FUNCTIONS, file), 'utf8').matchAll(/\bname: '([a-z]+:[a-z]+)'/g)])
    .map(([, name = '']) => name)
  t.true(named.length > 0)
  t.deepEqual(
    named.filter((name) => !known.has(name)),
    [],
  )
})

test('a subscriber takes events, is for other functions alone, and may be told twice', async (t) => {
  for (const { name, subscribes, access, idempotent } of (await loadContracts()).values()) {
    if (!subscribes) continue
    t.is(access, 'internal', name)
    t.true(idempotent, name)
  }
})

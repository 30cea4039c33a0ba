import test from 'ava'
import { basename } from 'node:path'
import { loadContracts, listTree } from '../../platform/runtime/tree.js'
import { filesOf, read } from './graph.js'

/** One name, one meaning: docs/names.md has the suffixes of files and the glossary. */

// The client is a package of its own: its names are those of the wire, for whoever knows nothing of the inside.
const PRODUCT = ['cli', 'config', 'functions', 'gateway', 'jobs', 'platform', 'projections', 'protocol', 'webhooks']

const VERBS = new Set(
  `acknowledge alert announce answer append apply assign audit authenticate block call cancel change check commit
  complete confirm copy create delete deposit drop expire export find follow get invite join leave list lock mark move open
  pay post propose put read receive recover redrive refresh refund reject release remove rename report request reschedule
  resend reserve reset resolve retry return revoke search send set settle share sign start take tell tidy trace unblock undo update verify
  withdraw`.split(/\s+/),
)

/** Files whose suffix stands alone. */
const ALONE = new Set(['invitation.confirmation.ts', 'invitation.settlement.ts'])

/** Exported types that share a name, each with its reason. */
const SHARED_TYPES: Record<string, string> = {}

const suffixOf = (file: string): string | undefined => /^[A-Za-z]+\.([A-Za-z]+)\.ts$/.exec(basename(file))?.[1]
const unused = (names: Iterable<string>, used: ReadonlySet<string>): string[] => [...names].filter((n) => !used.has(n))

test('a dotted file has one of the suffixes that docs/names.md lists', (t) => {
  const table = read('docs/names.md').split('## Operations')[0] as string
  const suffixes = new Set([...table.matchAll(/^\| `([a-z]+)`/gm)].map(([, suffix]) => suffix as string))
  const files = filesOf('functions', /\.ts$/).filter((file) => suffixOf(file) !== undefined)
  t.deepEqual(
    files.filter((file) => !suffixes.has(suffixOf(file) as string) && !ALONE.has(basename(file))),
    [],
  )
})

test('operations begin with a verb', async (t) => {
  const verb = (name: string): string => (/^[a-z]+/.exec(name) as RegExpExecArray)[0]
  t.deepEqual(
    listTree()
      .map(({ operation }) => operation)
      .filter((name) => !VERBS.has(verb(name))),
    [],
  )
  t.is((await loadContracts()).size, listTree().length)
})

const exportedTypes = (text: string): string[] =>
  [...text.matchAll(/^export (?:declare )?(?:abstract )?(?:type|interface|class) (\w+)/gm)].map(
    ([, name]) => name as string,
  )

test('no exported type of the product stands for two things', (t) => {
  t.deepEqual(exportedTypes('export type A = 1\nexport interface B {}\nexport class C {}\ninterface D {}'), [
    'A',
    'B',
    'C',
  ])
  const places = new Map<string, string[]>()
  for (const file of PRODUCT.flatMap((room) => filesOf(room, /(?<!clientTypes)\.ts$/)))
    for (const name of exportedTypes(read(file))) places.set(name, [...(places.get(name) ?? []), file])
  const shared = [...places].filter(([, files]) => files.length > 1)
  t.deepEqual(
    shared.filter(([name]) => !(name in SHARED_TYPES)),
    [],
  )
  t.deepEqual(unused(Object.keys(SHARED_TYPES), new Set(shared.map(([name]) => name))), [])
})

import test from 'ava'
import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import ts from 'typescript'
import { copyTree } from '../../proof/support/treeCopy.js'
import { PACKAGE } from '../../proof/support/installation.js'

/** docs/adding.md is followed to the letter, in a copy of the tree, and what it makes works. */

interface Block {
  path: string
  code: string
}

/** The code of a section of the guide, each block with the path that it begins with. */
async function blocksOf(heading: string): Promise<Block[]> {
  const guide = await readFile(join(PACKAGE, 'docs/adding.md'), 'utf8')
  const section = guide.split(/^## /m).find((each) => each.startsWith(`${heading}\n`))
  if (section === undefined) throw new Error(`docs/adding.md has no section "${heading}"`)
  return [...section.matchAll(/^```ts\n\/\/ (\S+)\n([\s\S]*?)^```$/gm)].map(([, path = '', code = '']) => ({
    path,
    code,
  }))
}

/** A new file is the block; in one that exists the block's first line is found, and the rest added after it. */
async function follow(root: string, { path, code }: Block): Promise<'made' | 'changed'> {
  const file = join(root, path)
  if (!existsSync(file)) {
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, code)
    return 'made'
  }
  const source = await readFile(file, 'utf8')
  const [line = ''] = code.split('\n')
  const found = `\n${source}`.split(`\n${line}\n`).length - 1
  if (found !== 1) throw new Error(`"${line}" stands ${found} times in ${path}`)
  await writeFile(file, `\n${source}`.replace(`\n${line}\n`, () => `\n${code}`).slice(1))
  return 'changed'
}

/** What the compiler says of these files, with the settings of the tree. */
function wrongTypes(root: string, paths: string[]): string[] {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as {
    config: unknown
  }
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
  const files = paths.map((path) => join(root, path))
  // Subscribers are checked against what all contracts emit.
  const contracts = readdirSync(join(root, 'functions')).map((domain) => join(root, 'functions', domain, 'contract.ts'))
  const program = ts.createProgram([...files, ...contracts], { ...options, noEmit: true, incremental: false })
  return files.flatMap((file) => {
    const source = program.getSourceFile(file)
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      ({ messageText }) => `${file}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
    )
  })
}

/** The tests of the copy, as its developer would run them. */
async function runTests(root: string, paths: string[]): Promise<string> {
  const ava = join(PACKAGE, 'node_modules/ava/entrypoints/cli.mjs')
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('AVA')))
  try {
    return (await promisify(execFile)(process.execPath, [ava, '--tap', ...paths], { cwd: root, env })).stdout
  } catch (error) {
    return (error as { stdout: string }).stdout
  }
}

/** What each section makes, and what of it is run. */
const SECTIONS: Record<string, string[]> = {
  'An operation': [
    'changed functions/bookings/kinds/car/contract.ts',
    'made functions/bookings/kinds/car/renameCar.ts',
    'made test/bookings/renameCar.test.ts',
  ],
  'A kind of thing to book': [
    'made functions/bookings/kinds/desk/contract.ts',
    'made functions/bookings/kinds/desk/desk.kind.ts',
    'made functions/bookings/kinds/desk/createDesk.ts',
    'changed functions/bookings/kinds/list.ts',
    'changed functions/bookings/kinds/list.ts',
    'made migrations/bookings/0004-desks.ts',
    'made test/bookings/desks.test.ts',
  ],
  'A subscriber': [
    'changed functions/orders/contract.ts',
    'changed functions/orders/contract.ts',
    'made functions/orders/internal/tellSeller.ts',
    'made test/tickets/tellSeller.test.ts',
  ],
  'A projection': ['made functions/messages/sentCount.model.ts', 'made functions/messages/sentCount.projection.ts'],
  'A setting': [
    'changed config/settings.ts',
    'changed config/index.ts',
    'changed config/index.ts',
    'made test/config/bookableAhead.test.ts',
  ],
}

test('an operation takes three files, a kind of thing to book six; what the guide adds has right types, and its tests pass', async (t) => {
  const { root, remove } = await copyTree()
  t.teardown(remove)
  const paths = new Set<string>()
  for (const [heading, expected] of Object.entries(SECTIONS)) {
    const done = []
    for (const block of await blocksOf(heading)) {
      done.push(`${await follow(root, block)} ${block.path}`)
      paths.add(block.path)
    }
    t.deepEqual(done, expected, heading)
  }
  t.deepEqual(wrongTypes(root, [...paths]), [])
  const said = await runTests(
    root,
    [...paths].filter((path) => path.startsWith('test/')),
  )
  t.regex(said, /# pass 6\n# fail 0/, said)
})

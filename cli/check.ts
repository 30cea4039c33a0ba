import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { PACKAGE_ROOT } from '../platform/lib/packageRoot.js'
import { command } from './lib/command.js'
import { stopwatch } from './lib/stopwatch.js'

const USAGE = `npm run check

Types, lint, format and the house's own rules (test/house, docs, arrows between folders), side by side, each remembering what
has not changed. For between two edits: npm test, npm run test:proof, npm run test:system and npm run test:load
say whether it works.`

const CACHE = 'node_modules/.cache/check'

/** Run from here with node, from this package alone. */
const CHECKS: Record<string, () => string[]> = {
  types: () => ['typescript/bin/tsc', '--noEmit'],
  lint: () => ['eslint/bin/eslint.js', '.', '--cache', '--cache-location', `${CACHE}/eslint`],
  format: () => [
    ...['prettier/bin/prettier.cjs', '--check', '.', '--log-level', 'warn'],
    ...['--cache', '--cache-location', `${CACHE}/prettier`],
  ],
  house: () => ['ava/entrypoints/cli.mjs', ...houseTests()],
}

await command(USAGE, {}, async () => {
  const say = stopwatch()
  const ends = await Promise.all(
    Object.entries(CHECKS).map(async ([name, args]) => {
      const { code, output } = await run(args())
      say(code === 0 ? `${name}: fine` : `${name}: not fine\n${output.trimEnd()}`)
      return code
    }),
  )
  return ends.every((code) => code === 0) ? 0 : 1
})

function houseTests(): string[] {
  const inFolder = readdirSync(join(PACKAGE_ROOT, 'test/house')).map((file) => `test/house/${file}`)
  return ['test/docs.test.ts', 'test/boundaries.test.ts', ...inFolder].filter(
    (file) => file.endsWith('.test.ts') && existsSync(join(PACKAGE_ROOT, file)),
  )
}

function run([script = '', ...args]: string[]): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join('node_modules', script), ...args], { cwd: PACKAGE_ROOT })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, output }))
  })
}

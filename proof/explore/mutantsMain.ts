import { spawn } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Exploration } from './explore.js'
import type { Mutant } from './mutant.js'
import { MUTANTS } from './mutants.js'
import { command, CommandFailure } from '../../cli/lib/command.js'

const USAGE = `npm run mutants                breaks the protocol on purpose, one rule at a time, and shows what catches it

  --only <words>      mutants whose names contain these words
  --json              one line of JSON a mutant

The sources are copied, and only the copy is broken; unbroken, the same case must be sound for as many states. Exits with 1 when one is not caught.`

const OPTIONS = { only: { type: 'string' }, json: { type: 'boolean' } } as const

/** What the explorer runs of. */
const SOURCES = ['config', 'functions', 'migrations', 'platform', 'proof', 'protocol', 'package.json', 'tsconfig.json']
const MAX_STATES = 4_000_000
const AT_ONCE = 2

await command(USAGE, OPTIONS, async ({ only = '', json }) => {
  const chosen = MUTANTS.filter(({ name }) => name.includes(only))
  if (chosen.length === 0) throw new CommandFailure(`No mutant is called "${only}".`)
  const escaped: string[] = []
  const queue = chosen.values()
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const mutant of queue) {
        const found = await explore(mutant)
        if (!found.violation) escaped.push(mutant.name)
        // Or else what is seen is no matter of the mutant.
        const sound = await explore({ ...mutant, edits: [] }, found.states)
        if (sound.violation) {
          throw new CommandFailure(`mutant "${mutant.name}": its case fails without it: ${sound.violation.what}`)
        }
        console.log(json ? JSON.stringify({ mutant: mutant.name, ...found }) : row(mutant, found))
      }
    }),
  )
  console.log(`${chosen.length - escaped.length} of ${chosen.length} caught`)
  for (const name of escaped) console.log(`not caught: ${name}`)
  return escaped.length > 0 ? 1 : 0
})

async function explore(mutant: Mutant, maxStates = MAX_STATES): Promise<Exploration> {
  const copy = await mkdtemp(join(tmpdir(), 'holdfast-mutant-'))
  try {
    for (const each of SOURCES) await cp(each, join(copy, each), { recursive: true })
    await symlink(join(process.cwd(), 'node_modules'), join(copy, 'node_modules'))
    for (const edit of mutant.edits) await apply(edit, copy, mutant.name)
    const limits = { ...mutant.shows, maxFaults: 1, maxStates }
    return JSON.parse(
      await run(['--import=tsx', 'proof/explore/exploreCase.ts', JSON.stringify(limits)], copy),
    ) as Exploration
  } finally {
    await rm(copy, { recursive: true, force: true })
  }
}

/** A rule that the source does not state as expected cannot be broken: that is a mistake here, and never a pass. */
async function apply({ file, find, replace, times = 1 }: Mutant['edits'][number], copy: string, name: string) {
  const path = join(copy, file)
  const parts = (await readFile(path, 'utf8')).split(find)
  if (parts.length !== times + 1) {
    throw new CommandFailure(`mutant "${name}": ${file} has ${parts.length - 1} times, not ${times}: ${find.trim()}`)
  }
  await writeFile(path, parts.join(replace))
}

function run(args: string[], cwd: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    let errors = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code === 0) resolve(output)
      else reject(new CommandFailure(`the explorer ended with ${signal ?? code}:\n${errors}`))
    })
  })
}

function row({ name, shows }: Mutant, { violation, states, tookMs }: Exploration): string {
  const where = [shows.case, ...shows.faults].join(' + ')
  const what = violation
    ? `state ${violation.state}: ${violation.what.split('\n')[0]}`
    : `NOT CAUGHT in ${states} states`
  return `${name.padEnd(46)} ${where.padEnd(34)} ${(tookMs / 1000).toFixed(1).padStart(6)} s  ${what}`
}

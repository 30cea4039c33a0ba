import { existsSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CASES } from './cases.js'
import type { Exploration } from './explore.js'
import { MUTANTS } from './mutants.js'
import type { RunOnMongod } from './onMongod.js'
import type { Limits } from './world.js'

/**
 * The figures on interleavings and mutants in docs/reliability.md, made from the reports in docs/explore, each line of
 * which is one that `npm run explore -- --json` or `npm run mutants -- --json` printed:
 *
 *     node --import=tsx proof/explore/figures.ts
 *
 * Replaces what stands between the marks; a test compares.
 */

const DOCS = fileURLToPath(new URL('../../docs', import.meta.url))
export const PAGE = join(DOCS, 'reliability.md')
const END = '<!-- /explored -->'

type Explored = Omit<Exploration, 'outcomes'> & Limits & { outcomes: Record<string, number> }
type Caught = Exploration & { mutant: string }

/** The page with the figures of all reports in it. */
export const withFigures = (page: string): string =>
  Object.entries(TABLES).reduce((filled, [name, table]) => fill(filled, `<!-- explored: ${name} -->`, table()), page)

function fill(page: string, begin: string, table: string): string {
  const [before, rest] = page.split(begin)
  const at = rest?.indexOf(END) ?? -1
  if (before === undefined || rest === undefined || at < 0) throw new Error(`${PAGE} has no place for ${begin}`)
  return [before, begin, '\n\n', table, '\n\n', rest.slice(at)].join('')
}

function reports<T>(name: string): T[] {
  const path = join(DOCS, 'explore', `${name}.jsonl`)
  if (!existsSync(path)) return []
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as T)
}

const TABLES: Record<string, () => string> = {
  memory() {
    const found = reports<Explored>('memory')
    const rows = found.map((each) => [
      each.case,
      each.faults.join(', ') || '-',
      count(each.states),
      each.schedules.toExponential(1),
      count(Object.keys(each.outcomes).length),
      seconds(each.tookMs),
      each.violation ? each.violation.what : each.complete ? '0' : 'not complete',
    ])
    const total = count(found.reduce((sum, { states }) => sum + states, 0))
    return [
      table(['case', `a fault of`, 'states', 'schedules', 'outcomes', 'took, s', 'violations'], rows),
      `${total} states in all.`,
    ].join('\n\n')
  },
  mongod() {
    const rows = reports<RunOnMongod & { maxPreemptions: number; maxFaults: number }>('mongod').map((each) => [
      each.case,
      count(each.maxPreemptions),
      count(each.maxFaults),
      count(each.schedules),
      seconds(each.tookMs),
      count(each.violations.length),
    ])
    return table(['case', 'preemptions', 'faults', 'schedules', 'took, s', 'violations'], rows)
  },
  mutants() {
    const caught = new Map(reports<Caught>('mutants').map((each) => [each.mutant, each]))
    const rows = MUTANTS.map(({ name, shows }) => {
      const violation = caught.get(name)?.violation
      const where = [shows.case, ...shows.faults].join(' + ')
      return [name, where, violation ? count(violation.state) : '-', violation?.what.split('\n')[0] ?? 'not caught']
    })
    return table(['mutant', 'case', 'state', 'what is seen there'], rows)
  },
  cases: () =>
    table(
      ['case', 'who meets whom'],
      CASES.map(({ name, summary }) => [name, summary]),
    ),
}

/** Aligned as prettier does, which checks the page. */
function table(head: string[], rows: string[][]): string {
  const escaped = rows.map((row) => row.map((cell) => cell.replaceAll('|', '\\|')))
  const widths = head.map((_, i) => Math.max(3, ...[head, ...escaped].map((row) => row[i]?.length ?? 0)))
  const line = (cells: string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...escaped.map(line)].join('\n')
}

const count = (n: number): string => n.toLocaleString('en')
const seconds = (ms: number): string => (ms / 1000).toFixed(1)

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeFile(PAGE, withFigures(readFileSync(PAGE, 'utf8')))

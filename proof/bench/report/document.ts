import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import type { Results } from '../results.js'
import { plot } from './plot.js'
import {
  armTable,
  carTable,
  ceilingTable,
  comparison,
  idleTable,
  instanceTable,
  readTable,
  sizeTable,
  toMarkdown,
} from './tables.js'
import { targetTable } from './targets.js'

/**
 * Writes performance.json and performance.svg, and puts the tables between their markers in performance.md:
 *
 *     <!-- measured: reads -->
 *     <!-- /measured -->
 *
 * What stands outside of the markers is written by hand. A table that the run has no figures for stays as it was.
 */
export async function writeReport(results: Results, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true })
  const file = join(directory, 'performance.md')
  const text = await readFile(file, 'utf8').catch(() => skeleton())
  let filled = text
  for (const [name, content] of Object.entries(sections(results))) {
    if (content !== null) filled = fill(filled, name, content)
  }
  await writeFile(join(directory, 'performance.json'), `${JSON.stringify(results, null, 2)}\n`)
  if (results.samples.length > 0) await writeFile(join(directory, 'performance.svg'), plot(results))
  await writeFile(file, await format(filled, { ...(await resolveConfig(file)), parser: 'markdown' }))
  console.log(`\nWritten: ${file}`)
}

/** By the names of their markers; null where the run has no figures. */
function sections(results: Results): Record<string, string | null> {
  const { samples, reads, growth, idle } = results
  return {
    run: describeRun(results),
    targets: toMarkdown(targetTable(results)),
    arms: toMarkdown(armTable()),
    comparison: samples.length > 0 ? toMarkdown(comparison(results)) : null,
    ceilings: toMarkdown(ceilingTable(results)),
    reads: reads.length > 0 ? toMarkdown(readTable(results)) : null,
    idle: idle.length > 0 ? toMarkdown(idleTable(results)) : null,
    growth: growth && [sizeTable(results), carTable(results), instanceTable(results)].map(toMarkdown).join('\n\n'),
  }
}

function describeRun({ command, startedAt, machine, options }: Results): string {
  const { cpu, cores, memoryGb, os, node, mongod, loadPerCore } = machine
  return [
    `    ${command}`,
    '',
    `${startedAt.slice(0, 10)}, ${cores} cores (${cpu}), ${memoryGb} GB, ${os}, Node ${node}, mongod ${mongod}; ` +
      `${options.rounds} rounds of ${options.seconds} s; ` +
      `${loadPerCore.toFixed(1)} busy processes a core when it began.`,
  ].join('\n')
}

/** Puts one section into a page, for what is measured by a command of its own. */
export async function fillSection(file: string, name: string, content: string): Promise<void> {
  const filled = fill(await readFile(file, 'utf8'), name, content)
  await writeFile(file, await format(filled, { ...(await resolveConfig(file)), parser: 'markdown' }))
}

function fill(text: string, name: string, content: string): string {
  const begin = `<!-- measured: ${name} -->`
  const end = '<!-- /measured -->'
  const from = text.indexOf(begin)
  const to = text.indexOf(end, from)
  if (from < 0 || to < 0) return text
  return `${text.slice(0, from + begin.length)}\n\n${content}\n\n${text.slice(to)}`
}

const skeleton = (): string =>
  [
    '# Performance',
    ...['run', 'targets', 'arms', 'comparison', 'ceilings', 'reads', 'growth', 'idle'].map(
      (name) => `<!-- measured: ${name} -->\n<!-- /measured -->`,
    ),
    '![Bookings a second by bookings in flight](performance.svg)',
  ].join('\n\n')

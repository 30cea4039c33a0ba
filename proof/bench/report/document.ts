import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fill, formatted, toMarkdown } from '../../support/markdown.js'
import type { Results } from '../results.js'
import { picture } from './picture.js'
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
  socketTable,
} from './tables.js'
import { targetTable } from './targets.js'

/**
 * Writes performance.json and the two pictures, and puts the tables between their markers in performance.md. A table that
 * the run has no figures for stays as it was.
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
  if (results.samples.length > 0) {
    await writeFile(join(directory, 'performance.svg'), picture(results))
    await writeFile(join(directory, 'performance-by-load.svg'), plot(results))
  }
  await writeFile(file, await formatted(file, filled))
  console.log(`\nWritten: ${file}`)
}

/** By the names of their markers; null where the run has no figures. */
function sections(results: Results): Record<string, string | null> {
  const { samples, reads, growth, instances, idle } = results
  return {
    run: describeRun(results),
    targets: toMarkdown(targetTable(results)),
    arms: toMarkdown(armTable(results)),
    comparison: samples.length > 0 ? toMarkdown(comparison(results)) : null,
    sockets: samples.some(({ toSocket }) => toSocket !== null) ? toMarkdown(socketTable(results)) : null,
    ceilings: toMarkdown(ceilingTable(results)),
    reads: reads.length > 0 ? toMarkdown(readTable(results)) : null,
    idle: idle.length > 0 ? toMarkdown(idleTable(results)) : null,
    instances: instances.length > 0 ? toMarkdown(instanceTable(results)) : null,
    growth: growth && [sizeTable(results), carTable(results)].map(toMarkdown).join('\n\n'),
  }
}

function describeRun({ command, startedAt, machine, options }: Results): string {
  const { cpu, cores, memoryGb, os, node, mongod, postgres, loadPerCore } = machine
  return [
    `    ${command}`,
    '',
    `${startedAt.slice(0, 10)}, ${cores} cores (${cpu}), ${memoryGb} GB, ${os}, Node ${node}, mongod ${mongod}, ` +
      `PostgreSQL ${postgres ?? 'not measured'}; ` +
      `${options.rounds} rounds of ${options.seconds} s; ` +
      `${loadPerCore.toFixed(1)} busy processes a core when it began.`,
  ].join('\n')
}

const skeleton = (): string =>
  [
    '# Performance',
    '![Bookings a second, side by side](performance.svg)',
    ...['run', 'targets', 'arms', 'comparison', 'sockets', 'ceilings', 'reads', 'instances', 'growth', 'idle'].map(
      (name) => `<!-- measured: ${name} -->\n<!-- /measured -->`,
    ),
    '![Bookings a second by bookings in flight](performance-by-load.svg)',
  ].join('\n\n')

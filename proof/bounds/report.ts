import { writeFile } from 'node:fs/promises'
import { table } from '../../client/apps/show.js'
import { formatted, toMarkdown } from '../support/markdown.js'
import type { Bound } from './measure.js'

/** A process that does nothing else for so long makes everybody wait who it serves. */
export const MOST_BLOCKED_MS = 200

const HEADER = ['operation', 'largest input, bytes', 'answer', 'bytes', 'blocked, ms', 'in all, ms']

const cells = ({ operation, inputBytes, answer, answerBytes, blockedMs, tookMs }: Bound): string[] => [
  operation,
  Number.isFinite(inputBytes) ? String(inputBytes) : 'any',
  answer,
  String(answerBytes),
  blockedMs.toFixed(0),
  tookMs.toFixed(0),
]

export const inALine = (bound: Bound): string => cells(bound).join('  ')

export function inWords(bounds: readonly Bound[]): string {
  const late = bounds.filter(({ blockedMs }) => blockedMs > MOST_BLOCKED_MS)
  return [
    table(HEADER, bounds.map(cells)),
    '',
    ...late.map(({ operation, blockedMs }) => `OVER ${MOST_BLOCKED_MS} ms: ${operation}, ${blockedMs.toFixed(0)} ms`),
    late.length === 0 ? `None blocks for over ${MOST_BLOCKED_MS} ms.` : '',
  ].join('\n')
}

export async function writeDocs(bounds: readonly Bound[], file: string, at: Date): Promise<void> {
  const part = (internal: boolean): string =>
    toMarkdown([HEADER, ...bounds.filter((each) => each.internal === internal).map(cells)])
  await writeFile(file, await formatted(file, page(at, part(false), part(true))))
}

const page = (at: Date, open: string, internal: string): string => `<!-- Made by \`npm run bounds -- --out docs\`. -->

# Limits of operations

For every operation the largest input that its contract lets through, and the largest answer to it, on a database that
holds as much as the limits allow. \`blocked\` is the longest time during which the process of the function, or of the
gateway that passes the answer on, could do nothing else. Where it is over ${MOST_BLOCKED_MS} ms the command ends with exit code 1.
A refusal in the column \`answer\` is what the longest input came to; it has been read and checked then.

    npm run bounds -- --out docs

Measured ${at.toISOString().slice(0, 10)}, on two cores; milliseconds are the least of three calls where an operation may be called again.

Beyond its own limits every request ends at 100,000 characters, every page at 1 MB of JSON, and what processes send each
other at 64 MB: [security.md](security.md) says which limit stops which attack.

## Operations

${open}

## Of functions for each other

\`any\`: its input has no limit of its own. Callers are functions, which send what fits.

${internal}
`

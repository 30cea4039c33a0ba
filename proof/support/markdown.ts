import { readFile, writeFile } from 'node:fs/promises'
import { format, resolveConfig } from 'prettier'

/** A table as Markdown and the terminal show it; the first row is its head. */
export type Table = string[][]

export function toMarkdown([head = [], ...rows]: Table): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`
  const rule = head.map((_, i) => (rows.every((row) => /^[\d.,]*$/.test(row[i] ?? '')) ? '---:' : '---'))
  return [line(head), line(rule), ...rows.map(line)].join('\n')
}

/**
 * Puts what was measured between its markers in a page; what stands outside of them is written by hand:
 *
 *     <!-- measured: reads -->
 *     <!-- /measured -->
 */
export function fill(text: string, name: string, content: string): string {
  const begin = `<!-- measured: ${name} -->`
  const end = '<!-- /measured -->'
  const from = text.indexOf(begin)
  const to = text.indexOf(end, from)
  if (from < 0 || to < 0) return text
  return `${text.slice(0, from + begin.length)}\n\n${content}\n\n${text.slice(to)}`
}

/** Puts one section into a page that has its markers. */
export async function fillSection(file: string, name: string, content: string): Promise<void> {
  await writeFile(file, await formatted(file, fill(await readFile(file, 'utf8'), name, content)))
}

/** As the house formats it. */
export const formatted = async (file: string, text: string): Promise<string> =>
  format(text, { ...(await resolveConfig(file)), parser: 'markdown' })

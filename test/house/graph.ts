import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The tree's own files and who imports whom, for the house's tests. Paths are from the root. */

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

const SKIPPED = new Set(['node_modules', 'dist', 'releases', '.git', '.data'])

export const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

export function filesOf(folder: string, ending: RegExp): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : filesOf(path, ending)
    return ending.test(entry.name) ? [path] : []
  })
}

export interface Import {
  from: string
  to: string
  /** It leaves nothing behind at run time. */
  typeOnly: boolean
}

const IMPORT = /^(import|export)( type)?\b[^'"]*?from '(\.[^']*)'|\bimport\('(\.[^']*)'\)|^import '(\.[^']*)'/gm

export const importsIn = (from: string, text: string): Import[] =>
  [...text.matchAll(IMPORT)].map(([, , type, named, dynamic, bare]) => ({
    from,
    to: normalize(join(dirname(from), named ?? dynamic ?? bare ?? '')).replace(/\.js$/, '.ts'),
    typeOnly: type !== undefined,
  }))

export const importGraph = (): Import[] => {
  const files = filesOf('.', /\.ts$/)
  const known = new Set(files)
  return files.flatMap((file) => importsIn(file, read(file))).filter(({ to }) => known.has(to))
}

/** Groups of files that import each other, each group in the order of the walk. */
export function circlesOf(imports: readonly Import[]): string[][] {
  const next = new Map<string, string[]>()
  for (const { from, to } of imports) next.set(from, [...(next.get(from) ?? []), to])
  const order = new Map<string, number>()
  const lowest = new Map<string, number>()
  const stack: string[] = []
  const circles: string[][] = []

  function walk(file: string): void {
    order.set(file, order.size)
    lowest.set(file, order.get(file) as number)
    stack.push(file)
    for (const to of next.get(file) ?? []) {
      if (!order.has(to)) walk(to)
      if (stack.includes(to)) lowest.set(file, Math.min(lowest.get(file) as number, lowest.get(to) as number))
    }
    if (lowest.get(file) !== order.get(file)) return
    const circle = stack.splice(stack.indexOf(file))
    if (circle.length > 1) circles.push(circle.toSorted())
  }
  for (const file of next.keys()) if (!order.has(file)) walk(file)
  return circles
}

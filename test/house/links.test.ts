import test from 'ava'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What docs and comments cite exists, and the map of ARCHITECTURE.md is the tree. */

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
const SKIPPED = ['node_modules', 'dist', 'releases', '.git', '.data']

function filesOf(folder: string, ending: RegExp): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return SKIPPED.includes(entry.name) ? [] : filesOf(path, ending)
    return ending.test(entry.name) ? [path] : []
  })
}

const PAGES = filesOf('.', /\.md$/)
const SOURCES = filesOf('.', /\.(ts|js)$/)
const FILE_NAMES = new Set(filesOf('.', /\.(md|ts|js|json|jsonl|svg)$/).map((path) => basename(path)))

/** As GitHub names the anchors of headings. */
const anchorsOf = (page: string): Set<string> =>
  new Set(
    [...read(page).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replace(/[^\w\s-]/g, '')
        .trim()
        .replaceAll(' ', '-'),
    ),
  )

interface Citation {
  /** A path from the root, or a file's name alone. */
  target: string
  anchor?: string | undefined
}

/** `[text](path#anchor)`, from where the page is. */
const linksOf = (page: string, text: string): Citation[] =>
  [...text.matchAll(/\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]*))?\)/g)].map(([, path = '', anchor]) => ({
    target: path === '' ? page : normalize(join(dirname(page), path)),
    anchor,
  }))

/** Paths and file names that prose and comments name, such as `protocol/engine.ts` or protocol.md. */
const namedIn = (text: string): string[] =>
  [...text.matchAll(/(?<![\w./<>*${-])((?:[A-Za-z][\w-]*\/)*[A-Za-z][\w.-]*\.(?:md|ts))(?![\w/(])/g)].map(
    ([, path = '']) => path,
  )

const commentsOf = (source: string): string =>
  [...source.matchAll(/\/\*\*?[\s\S]*?\*\/|(?<=^|\s)\/\/ .*$/gm)].map(([comment]) => comment).join('\n')

/** A path is from the root; a name alone is any file of that name. */
const exists = (target: string): boolean =>
  target.includes('/') ? existsSync(join(ROOT, target)) : FILE_NAMES.has(target)

/** Examples that readers make themselves, and what releases before this one were made of. */
const EXEMPT = new Set(['CHANGELOG.md', 'docs/adding.md'])

test('every link of a page leads to a file, and to a heading of it', (t) => {
  const broken = PAGES.flatMap((page) =>
    linksOf(page, read(page))
      .filter(({ target, anchor }) => {
        if (!existsSync(join(ROOT, target))) return true
        return anchor !== undefined && target.endsWith('.md') && !anchorsOf(target).has(anchor)
      })
      .map(({ target, anchor }) => `${page}: ${target}${anchor === undefined ? '' : `#${anchor}`}`),
  )
  t.deepEqual(broken, [])
})

test('every file that a page or a comment names exists', (t) => {
  const texts = [
    ...PAGES.filter((page) => !EXEMPT.has(page)).map((page) => [page, read(page)] as const),
    ...SOURCES.map((source) => [source, commentsOf(read(source))] as const),
  ]
  const missing = texts.flatMap(([where, text]) =>
    namedIn(text)
      .filter((name) => !exists(name) && !existsSync(join(ROOT, dirname(where), name)))
      .map((name) => `${where}: ${name}`),
  )
  t.deepEqual(missing, [])
})

test('the map of ARCHITECTURE.md has every top-level folder, and no other', (t) => {
  const map = /## The map[\s\S]*?```text\n([\s\S]*?)```/.exec(read('ARCHITECTURE.md'))?.[1] ?? ''
  const named = [...map.matchAll(/^([a-z]+)\/ /gm)].map(([, folder]) => folder ?? '').sort()
  const folders = readdirSync(ROOT, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && !SKIPPED.includes(entry.name))
    .map(({ name }) => name)
    .sort()
  t.deepEqual(named, folders)
})

test('ARCHITECTURE.md is read in five minutes: at most 10 kB', (t) => {
  t.true(Buffer.byteLength(read('ARCHITECTURE.md')) <= 10_240)
})

test('prose wraps: no line over 140 columns outside tables, code and generated pages', (t) => {
  const long = PAGES.filter((page) => !read(page).startsWith('<!-- Made by')).flatMap((page) =>
    read(page)
      .replace(/```[\s\S]*?```|<!-- measured[\s\S]*?<!-- \/measured -->/g, '')
      .split('\n')
      .filter((line) => line.length > 140 && !/^(\|| {4})/.test(line))
      .map((line) => `${page}: ${line.slice(0, 60)}...`),
  )
  t.deepEqual(long, [])
})

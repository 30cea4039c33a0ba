import test from 'ava'
import { filesOf, read } from './graph.js'

/** Figures that were measured stand where a command writes them, or a test compares them with a report. */
const COMPARED = new Map([['docs/lobbies.md', 'test/proof/race/figures.test.ts']])

const PAGES = filesOf('docs', /\.md$/)

test('every place for figures is written by a command', (t) => {
  const sources = filesOf('proof', /\.ts$/).map(read).join('\n')
  const places = PAGES.flatMap((page) => [...read(page).matchAll(/<!-- measured: (\w+) -->/g)].map(([, name]) => name))
  t.true(places.length > 8)
  for (const name of places) t.regex(sources, new RegExp(`'${name}'|^ {4}${name}:`, 'm'))
})

test('no table of docs/ shows a measured time outside of such a place', (t) => {
  const stray = PAGES.filter((page) => !COMPARED.has(page)).flatMap((page) =>
    read(page)
      .replace(/<!-- (measured|figures):[\s\S]*?<!-- \/\1 -->/g, '')
      .split('\n')
      .filter((line) => /\| +[\d.,]+ ms\b/.test(line))
      .map((line) => `${page}: ${line.slice(0, 80)}`),
  )
  t.deepEqual(stray, [])
})

import test from 'ava'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { install, PACKAGE, run } from '../../proof/support/installation.js'

const README = readFileSync(join(PACKAGE, 'README.md'), 'utf8')

/** The block of output that follows these words of the README. */
function shownAfter(words: string): string[] {
  const from = README.indexOf(words)
  const block = /```text\n([^`]*)```/.exec(README.slice(from))?.[1]
  if (from < 0 || block === undefined) throw new Error(`The README shows no output after "${words}"`)
  return block.trimEnd().split('\n')
}

/** Which app is ready first is its own affair. */
const APP = /^ *[a-z]+$/

/** The lines of the README that a command did not print, in this order; paths, numbers and dates may be others. */
function missing(shown: readonly string[], output: string): string[] {
  const printed = output.split('\n').map(alike)
  let from = 0
  return shown.filter((line) => {
    if (line.trim() === '...') return false
    if (APP.test(alike(line))) return !printed.includes(alike(line))
    const at = printed.indexOf(alike(line), from)
    if (at >= 0) from = at + 1
    return at < 0
  })
}

const alike = (line: string): string =>
  line
    .replace(/^ *[\d.]+ s {2}/, '')
    .replace(/\((\/.*)?\/mongod\)/, '(<binary>)')
    .replace(/data in .*/, 'data in <directory>')
    .replace(/\d+/g, '<n>')
    .trimEnd()

test('what the README shows of npm start, of the demo and of the session is what they print', async (t) => {
  const installation = await install({ PLACEMENT: 'functions=1,gateway=1' })
  t.teardown(() => installation.remove())

  const started = await installation.cli('start')
  t.is(started.code, 0, started.output)
  // Which machine this is decides what the first line says.
  const shown = shownAfter('with the seconds that have passed').filter((line) => !line.includes('PLACEMENT'))
  t.deepEqual(missing(shown, started.output), [], started.output)
  const demo = await installation.cli('demo')
  t.is(demo.code, 0, demo.output)
  t.deepEqual(missing(shownAfter('another as a user:'), demo.output), [], demo.output)

  const token = await installation.adminToken()
  const session = await run(process.execPath, [join(PACKAGE, 'examples/session.js'), token], PACKAGE, installation.env)
  t.is(session.output, `${shownAfter('node examples/session.js "$(npm').join('\n')}\n`)

  const audit = await installation.cli('audit')
  t.is(audit.code, 0, audit.output)
})

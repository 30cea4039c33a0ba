import test from 'ava'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { install, PACKAGE, run } from '../../proof/support/installation.js'

/** The README's session, line by line, with the output that it shows. */
test('the session in the README prints what the README says', async (t) => {
  const readme = readFileSync(join(PACKAGE, 'README.md'), 'utf8')
  const shown = /node examples\/session\.js[^\n]*\n```\n\n```text\n([^`]*)```/.exec(readme)?.[1]
  const installation = await install()
  t.teardown(() => installation.remove())

  const started = await installation.cli('start')
  t.is(started.code, 0, started.output)
  t.regex(started.output, /Ready: 127\.0\.0\.1:\d+ \(socket\.io, websocket transport\)/)
  const demo = await installation.cli('demo')
  t.is(demo.code, 0, demo.output)
  t.regex(demo.output, /user {3}createBooking: COMMITTED, 3 hours, 37\.50/)

  const token = (await installation.cli('token', '--role', 'admin')).output.trim().split('\n').at(-1) as string
  const session = await run(process.execPath, [join(PACKAGE, 'examples/session.js'), token], PACKAGE, installation.env)
  t.truthy(shown)
  t.is(session.output, shown ?? '')

  const audit = await installation.cli('audit')
  t.is(audit.code, 0, audit.output)
})

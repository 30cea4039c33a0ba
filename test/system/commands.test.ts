import test from 'ava'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readlink, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, PACKAGE } from '../../proof/support/installation.js'
import { createLanes } from '../../platform/runtime/lanes.js'
import { COMMANDS, npmRun, SCRIPTS, type Bad, type Ended } from './commands.js'

/** Every npm script as a user types it, where no system runs; lifecycle.test.ts has those that want one. */
let home: string
let release: string
test.before(async () => {
  await build()
  home = await mkdtemp(join(tmpdir(), 'holdfast-commands-'))
  release = await readlink(join(PACKAGE, 'dist'))
})
test.after.always(() => rm(home, { recursive: true, force: true }))

const nowhere = () => ({
  NODE_ENV: 'test',
  MONGODB_URI: 'mongodb://someone:hunter2@127.0.0.1:1/books?replicaSet=rs',
  AUTH_SECRET: 'the secret of tests that signs tokens',
  CLUSTER_SECRET: 'the secret of tests that signs calls',
  DATA_DIR: join(home, 'data'),
  PM2_HOME: join(home, 'pm2'),
  GATEWAY_PORT: '1',
})

/** Two cores. */
const atOnce = createLanes({ atOnce: 2, waiting: Infinity, full: () => new Error('full') })
const typed = (script: string, words?: string, env: Record<string, string> = {}): Promise<Ended> =>
  atOnce.run('all', () => npmRun(script, words, { ...process.env, ...nowhere(), ...env, NO_COLOR: '1' }))

test('every script of package.json is in the table, and nothing else', (t) => {
  t.deepEqual(Object.keys(COMMANDS).sort(), Object.keys(SCRIPTS).sort())
  for (const [name, { good }] of Object.entries(COMMANDS))
    if ('shownBy' in good) t.true(existsSync(join(PACKAGE, good.shownBy)), name)
})

const described = ({ words = '', env = {} }: Bad): string =>
  [...Object.entries(env).map(([name, value]) => `${name}=${value}`), words].join(' ').trim() || 'where nothing runs'

const BAD = Object.entries(COMMANDS).flatMap(([script, { bad }]) => bad.map((each) => ({ script, bad: each })))

for (const { script, bad } of BAD) {
  test(`npm run ${script}, wrong: ${described(bad)}`, async (t) => {
    const { code, out, error } = await typed(script, bad.words, bad.env)
    t.is(code, 1, error)
    t.is(out, '')
    t.true(
      error.split('\n').some((line) => bad.says.test(line)),
      error,
    )
    t.notRegex(error, /^ +at |hunter2/m)
  })
}

for (const [script, { good }] of Object.entries(COMMANDS)) {
  if ('shownBy' in good || !good.alone) continue
  test(`npm run ${script}, right: ${good.words}`, async (t) => {
    const { code, out, error } = await typed(script, good.words)
    t.is(code, good.code ?? 0, error)
    t.regex(out, good.says)
  })
}

test.after('nothing was half done', async (t) => {
  t.deepEqual(await readdir(home), [])
  t.is(await readlink(join(PACKAGE, 'dist')), release)
})

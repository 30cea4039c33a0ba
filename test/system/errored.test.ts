import test from 'ava'
import { appendFile, cp, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sharedMongod } from '../support/mongod.js'
import { build, install, PACKAGE } from '../../proof/support/installation.js'

/** A built copy of the package, so that a test may break it. */
async function copyPackage(): Promise<string> {
  await build()
  const copy = await realpath(await mkdtemp(join(tmpdir(), 'holdfast copy-')))
  for (const each of ['dist', 'package.json', 'ecosystem.config.js']) {
    await cp(join(PACKAGE, each), join(copy, each), { recursive: true, dereference: true })
  }
  await symlink(join(PACKAGE, 'node_modules'), join(copy, 'node_modules'))
  return copy
}

test.serial(
  'a function with a bad import ends errored, is named with its last words, and starts once it is mended',
  async (t) => {
    const copy = await copyPackage()
    const system = await install({ MONGODB_URI: (await sharedMongod()).uri(), PLACEMENT: '*=1' }, copy)
    t.teardown(async () => {
      await system.remove()
      await rm(copy, { recursive: true, force: true })
    })
    const broken = join(copy, 'dist/functions/users/signIn.js')
    const whole = await readFile(broken, 'utf8')
    await appendFile(broken, "\nimport './notThere.js'\n")

    const started = await system.cli('start')
    t.is(started.code, 1, started.output)
    t.regex(started.output, /The PM2 app users does not start/)
    t.regex(started.output, /notThere/)

    const status = async (app: string) => [...new Set((await system.rows(app)).map((row) => row.status))]
    t.deepEqual(await status('users'), ['errored'])
    for (const app of ['bookings', 'platform', 'gateway']) t.deepEqual(await status(app), ['online'], app)

    await writeFile(broken, whole)
    const mended = await system.cli('start')
    t.is(mended.code, 0, mended.output)
    t.deepEqual(await status('users'), ['online'])
  },
)

test.serial('a tree that is not built is told so, in a sentence', async (t) => {
  const copy = await copyPackage()
  const system = await install({}, copy)
  t.teardown(async () => {
    await system.remove()
    await rm(copy, { recursive: true, force: true })
  })
  await rm(join(copy, 'dist'), { recursive: true })
  const { code, output } = await system.pm2('start', 'ecosystem.config.js')
  t.not(code, 0)
  t.regex(output, /Not built yet: run "npm run build" first/)
})

test.serial('a tree without its migrations does not start', async (t) => {
  const copy = await copyPackage()
  const system = await install({ MONGODB_URI: (await sharedMongod()).uri() }, copy)
  t.teardown(async () => {
    await system.remove()
    await rm(copy, { recursive: true, force: true })
  })
  await rm(join(copy, 'dist/migrations'), { recursive: true })
  const { code, output } = await system.cli('start')
  t.is(code, 1)
  t.regex(output, /There are no migrations at .*: build again/)
  t.deepEqual(await system.rows(), [])
})

test.serial('an unknown name in the placement is refused before anything starts', async (t) => {
  const system = await install({ PLACEMENT: 'userz=4', MONGODB_URI: 'mongodb://127.0.0.1:1' })
  t.teardown(() => system.remove())
  const { code, output } = await system.cli('start')
  t.is(code, 1)
  t.regex(output, /PLACEMENT names "userz"/)
  t.deepEqual(await system.rows(), [])
})

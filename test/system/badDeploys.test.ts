import test from 'ava'
import { once } from 'node:events'
import { appendFile, cp, mkdir, mkdtemp, readFile, readlink, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, install, PACKAGE, run, type Installation } from '../../proof/support/installation.js'
import { startLoad, type Load } from './load.js'
import { ownMongod, type OwnMongod } from './ownMongod.js'

/**
 * One system under load, and bad deploys of many kinds: none of them stops anything, loses a request, or changes what a
 * restart would run; each names what to mend.
 */
interface Bad {
  kind: string
  /** Breaks the build in this directory. */
  spoil?: (release: string) => Promise<void>
  env?: () => Record<string, string>
  says: RegExp
}

const edit = async (file: string, change: (text: string) => string): Promise<void> =>
  writeFile(file, change(await readFile(file, 'utf8')))
const before = (line: string) => (text: string) => `${line}\n${text}`

const SIGN_IN = 'functions/users/signIn.js'
let squatter: Server

const BAD: Bad[] = [
  {
    kind: 'a contract without its file',
    spoil: (release) => rm(join(release, SIGN_IN)),
    says: /signIn has a contract but no file/,
  },
  {
    kind: 'a syntax error',
    spoil: (release) => appendFile(join(release, SIGN_IN), '\nconst = {'),
    says: /functions of this build cannot be loaded: SyntaxError/,
  },
  {
    kind: 'a file that defines another operation',
    spoil: (release) =>
      edit(join(release, SIGN_IN), (text) => text.replace('define(users.signIn', 'define(users.signUp')),
    says: /signIn\.js must default-export define\(users\.signIn/,
  },
  {
    kind: 'an import that is not there',
    spoil: (release) => edit(join(release, 'gateway/server.js'), before("import './notThere.js'")),
    says: /part gateway of this build cannot be loaded: .*notThere/,
  },
  {
    kind: 'a throw at import',
    spoil: (release) => edit(join(release, 'jobs/scheduler.js'), before("throw new Error('thrown at import')")),
    says: /part jobs of this build cannot be loaded: thrown at import/,
  },
  {
    kind: 'a migration that fails',
    async spoil(release) {
      const broken = 'export default { up() { throw new Error("no such thing") }, down() {} }'
      for (const end of ['ts', 'js']) await writeFile(join(release, `migrations/users/9999-broken.${end}`), broken)
    },
    says: /users\/9999-broken failed \(up\): no such thing/,
  },
  {
    kind: 'a migration that was edited after it was applied',
    spoil: (release) => appendFile(join(release, 'migrations/users/0001-users.ts'), '\n// edited'),
    says: /migrations\/users\/0001-users\.ts changed after it was applied/,
  },
  {
    kind: 'a setting that it needs and nobody set',
    spoil: (release) =>
      edit(join(release, 'platform/app/host.js'), before("if (!process.env.NEW_KEY) throw new Error('Set NEW_KEY')")),
    says: /app \w+ of this build does not start[^]*Set NEW_KEY/,
  },
  {
    kind: 'an app that ends before it is ready',
    spoil: (release) => edit(join(release, 'platform/app/boot.js'), before('process.exit(3)')),
    says: /app \w+ of this build does not start: it ended/,
  },
  {
    kind: 'a bad setting',
    env: () => ({ RECOVERY_STUCK_AFTER_MS: '10' }),
    says: /RECOVERY_STUCK_AFTER_MS/,
  },
  {
    kind: 'a placement of nothing that exists',
    env: () => ({ PLACEMENT: 'userz=2' }),
    says: /PLACEMENT names "userz"/,
  },
  {
    kind: 'a port that another program has',
    env: () => ({ GATEWAY_PORT: String((squatter.address() as { port: number }).port) }),
    says: /GATEWAY_PORT=\d+: another program listens/,
  },
]

let mongod: OwnMongod
let root: string
let system: Installation
let load: Load

test.before(async (t) => {
  await build()
  root = await realpath(await mkdtemp(join(tmpdir(), 'holdfast deploys-')))
  await mkdir(join(root, 'releases'))
  await cp(await realpath(join(PACKAGE, 'dist')), join(root, 'releases/good'), { recursive: true })
  await symlink('releases/good', join(root, 'dist'))
  for (const each of ['package.json', 'ecosystem.config.js']) await cp(join(PACKAGE, each), join(root, each))
  await symlink(join(PACKAGE, 'node_modules'), join(root, 'node_modules'))
  squatter = createServer().listen(0, '127.0.0.1')
  await once(squatter, 'listening')

  // Not one that stops with the file: the load could never end then.
  mongod = await ownMongod()
  system = await install({ MONGODB_URI: mongod.uri, LOG_LEVEL: 'warn' }, root)
  const { code, output } = await system.cli('start')
  t.is(code, 0, output)
  const token = (await system.cli('token', '--role', 'admin')).output.trim().split('\n').at(-1) as string
  load = await startLoad({ url: system.url, config: system.config, token, clients: 10 })
  await load.progress()
})

test.after.always('nothing is left running', async () => {
  await load?.stop()
  await system?.remove()
  await mongod?.remove()
  squatter?.close()
  await rm(root, { recursive: true, force: true })
})

const reload = (release: string, env: Record<string, string> = {}) =>
  run(process.execPath, [join(release, 'cli/reload.js')], root, { ...system.env, ...env })

const pids = async (): Promise<number[]> => (await system.rows()).map(({ pid }) => pid).sort()

for (const { kind, spoil, env, says } of BAD) {
  test.serial(`refused, with what to mend, while all goes on: ${kind}`, async (t) => {
    const release = join(root, 'releases/bad')
    await cp(join(root, 'releases/good'), release, { recursive: true })
    t.teardown(() => rm(release, { recursive: true, force: true }))
    await spoil?.(release)
    const running = await pids()

    const { code, output } = await reload(release, env?.())
    t.is(code, 1, output)
    t.regex(output, says)
    await load.progress()
    t.deepEqual(load.failures, [])
    t.deepEqual(await pids(), running)
    t.is(await readlink(join(root, 'dist')), 'releases/good')
  })
}

test.serial('then a good one: everything is new, and no request failed', async (t) => {
  const running = await pids()
  await cp(join(root, 'releases/good'), join(root, 'releases/better'), { recursive: true })
  const { code, output } = await reload(join(root, 'releases/better'))
  t.is(code, 0, output)
  await load.progress()
  t.deepEqual(load.failures, [])
  t.is(await readlink(join(root, 'dist')), 'releases/better')
  t.deepEqual(
    (await pids()).filter((pid) => running.includes(pid)),
    [],
  )
})

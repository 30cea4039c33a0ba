import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
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
/** Where the compiler works. */
const STAGING = join(RELEASES, '.staging')
/** In it: of which sources it is. */
const COMPILED = '.compiled'

/** Types, and what is run from its sources alone. */
const NOT_BUILT = /\.d\.ts$|^(proof\/(chaos|race)|client\/cli)\//

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
const release = await alone(join(RELEASES, '.lock'), async () => {
  const sources = hashOf(ROOT, sourceFiles())
  if (readIfThere(join(STAGING, COMPILED)) !== sources) {
    rmSync(join(STAGING, COMPILED), { force: true })
    await compile()
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

/** Types are not looked at: `npm run check` does that, in many times what this takes. */
async function compile() {
  const esbuild = await import('esbuild').catch(() => fail('The compiler is not installed: run "npm ci" first.'))
  try {
    await esbuild.build({
      entryPoints: sourceFiles().filter((file) => file.endsWith('.ts') && !NOT_BUILT.test(file)),
      absWorkingDir: ROOT,
      outbase: '.',
      outdir: relative(ROOT, STAGING),
      format: 'esm',
      platform: 'node',
      target: 'node20',
      sourcemap: true,
    })
  } catch {
    fail('The build failed; what runs and dist/ are as they were.')
  }
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
    cpSync(STAGING, copy, { recursive: true, filter: (path) => basename(path) !== COMPILED })
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
  return ['build.js', 'package-lock.json', 'tsconfig.json', ...files].filter((file) => existsSync(join(ROOT, file)))
}

function hashOf(directory, files) {
  const hash = createHash('sha256')
  for (const file of files.toSorted()) hash.update(`${file}\0`).update(readFileSync(join(directory, file)))
  return hash.digest('hex')
}

function filesOf(directory) {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== COMPILED)
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
    return await work()
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

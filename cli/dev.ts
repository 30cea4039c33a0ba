import { watch } from 'chokidar'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig, type Config } from '../config/index.js'
import { initiateReplicaSet, mongodArgs } from '../platform/mongod/mongod.js'
import { PACKAGE_ROOT } from '../platform/lib/packageRoot.js'
import { command, CommandFailure } from './lib/command.js'
import { createKeeper } from './lib/dev/keeper.js'
import { isFree, prepareMongod } from './lib/mongodData.js'
import { tokenFor } from './lib/operator.js'
import { stopwatch } from './lib/stopwatch.js'

const USAGE = `npm run dev

Everything in one process, run from the sources: functions, gateway, events, views and jobs. A saved function answers at
once; when another file is saved, the process is replaced. What does not load is told, and the code of before goes on.
Its MongoDB and its data are its own (DATA_DIR/dev), so it runs beside npm start; with MONGODB_URI set it works on that
one, and shares it with whatever else does. Where the gateway's port is taken, it takes the next that is free. Ctrl-C
ends it all.`

/** Folders of the product that are compiled to nothing that runs here. */
const NOT_RUN = new Set(['node_modules', 'dist', 'releases', 'docs', 'examples', 'proof', 'test'])
/** An editor that saves several files at once, or one of them in two steps. */
const SETTLE_MS = 30

await command(USAGE, {}, async () => {
  const say = stopwatch()
  const env = await settings(say)
  const config = loadConfig(env)
  const mongod = config.embeddedMongo ? await startMongod(config, say) : undefined
  const keeper = createKeeper(env, say)
  const watcher = watchSources(keeper.saved)
  try {
    await once(watcher, 'ready')
    await keeper.start()
    say(`Ready: ${config.gateway.host}:${config.gateway.port} (socket.io, websocket transport)`)
    const reaching = `DATA_DIR='${config.dataDir}' GATEWAY_PORT=${config.gateway.port}`
    say(`Other commands reach it with: ${reaching} npm run token -- --role admin`)
    say(`A token of an admin: ${await tokenFor(config, 'admin')}`)
    await Promise.race([untilToldToEnd(), mongod && once(mongod, 'exit').then(() => say('MongoDB ended'))])
  } finally {
    say('Stopping')
    await watcher.close()
    await keeper.stop()
    if (mongod && mongod.exitCode === null && mongod.kill('SIGINT')) await once(mongod, 'exit')
  }
})

/** Those of the environment, with data of its own and a gateway's port that nobody has. */
async function settings(say: (line: string) => void): Promise<NodeJS.ProcessEnv> {
  const { dataDir, gateway } = loadConfig()
  let port = gateway.port
  while (!(await isFree(port, gateway.host))) {
    if (++port > gateway.port + 100)
      throw new CommandFailure(`No port from ${gateway.port} on is free: set GATEWAY_PORT.`)
  }
  if (port !== gateway.port) say(`${gateway.host}:${gateway.port} is taken (by npm start?): listening at ${port}`)
  return { ...process.env, DATA_DIR: join(dataDir, 'dev'), GATEWAY_PORT: String(port) }
}

async function startMongod(config: Config, say: (line: string) => void): Promise<ChildProcess> {
  const { binary, password, ...place } = await prepareMongod(config, say)
  // A process group of its own: a terminal's Ctrl-C is for us, who end it last.
  const mongod = spawn(binary, mongodArgs(place), { stdio: 'ignore', detached: true })
  const failed = once(mongod, 'exit').then(([code]) => {
    throw new CommandFailure(
      `MongoDB does not start (exit code ${code}): run it by hand to see why:\n  ${mongod.spawnargs.join(' ')}`,
    )
  })
  failed.catch(() => {})
  await Promise.race([initiateReplicaSet(place.port, { password }), failed])
  return mongod
}

function watchSources(saved: (files: readonly string[]) => void): ReturnType<typeof watch> {
  const folders = readdirSync(PACKAGE_ROOT, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && !NOT_RUN.has(entry.name))
    .map(({ name }) => join(PACKAGE_ROOT, name))
  const files = new Set<string>()
  let timer: NodeJS.Timeout | undefined
  return watch(folders, {
    ignoreInitial: true,
    ignored: (file, stats) => (stats?.isFile() ?? false) && !file.endsWith('.ts'),
  }).on('all', (event, file) => {
    if (event === 'addDir' || event === 'unlinkDir') return
    files.add(file)
    clearTimeout(timer)
    timer = setTimeout(() => {
      const changed = [...files]
      files.clear()
      saved(changed)
    }, SETTLE_MS)
  })
}

function untilToldToEnd(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve())
  })
}

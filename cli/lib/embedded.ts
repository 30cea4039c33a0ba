import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '../../config/index.js'
import { MONGOD_APP, NAMESPACE } from '../../platform/app/ecosystem.js'
import { boundedStart, GIVEN_UP } from '../../platform/mongod/boundedStart.js'
import { initiateReplicaSet, mongodArgs } from '../../platform/mongod/mongod.js'
import { CommandFailure } from './command.js'
import { dbPathOf, keptPort, KILL_TIMEOUT_MS, mongodKey, prepareMongod } from './mongodData.js'
import { lastWords, listProcesses, pm2 } from './pm2.js'

/** Runs the embedded MongoDB under PM2, with its data in DATA_DIR, and returns when it can be written to. */
export async function startEmbeddedMongo(config: Config, say: (line: string) => void): Promise<void> {
  const [known] = (await listProcesses(config)).filter(({ app, ours }) => ours && app === MONGOD_APP)
  if (known && !known.args.includes(dbPathOf(config))) {
    throw new CommandFailure(
      `The MongoDB that runs in PM2_HOME=${config.pm2Home} has its data in another DATA_DIR: set another PM2_HOME to run two systems side by side`,
    )
  }
  if (known?.status === 'online') {
    const port = keptPort(config)
    if (port) return initiateReplicaSet(port, mongodKey(config))
  }
  if (known) await pm2(['delete', String(known.id)])

  const { binary, password, ...place } = await prepareMongod(config, say)
  const options = ['--name', MONGOD_APP, '--namespace', NAMESPACE, '--interpreter', 'none', '--merge-logs']
  const limits = ['--kill-timeout', String(KILL_TIMEOUT_MS), '--stop-exit-codes', String(GIVEN_UP)]
  const starts = join(config.pm2Home, 'mongod.starts')
  rmSync(starts, { force: true })
  const words = boundedStart(starts, place.dbPath, [binary, ...mongodArgs(place)])
  await pm2(['start', '/bin/sh', ...options, ...limits, '--', ...words])
  const settled = new AbortController()
  try {
    await Promise.race([initiateReplicaSet(place.port, { password }), failWhenGivenUp(config, settled.signal)])
  } finally {
    settled.abort()
  }
}

async function failWhenGivenUp(config: Config, signal: AbortSignal): Promise<void> {
  for (;;) {
    const process = (await listProcesses(config)).find(({ app, ours }) => ours && app === MONGOD_APP)
    if (process?.status === 'errored' || process?.status === 'stopped') {
      throw new CommandFailure(`MongoDB does not start. Its last words:\n${lastWords(process)}`)
    }
    await sleep(1000)
    if (signal.aborted) return
  }
}

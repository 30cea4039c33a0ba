import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from '../../client/src/index.js'
import type { Config } from '../../config/index.js'
import type { AppSpec } from '../../platform/app/ecosystem.js'
import { CommandFailure } from './command.js'
import { gatewayUrl } from './gateway.js'
import { lastWords, listProcesses, type Pm2Process } from './pm2.js'

const TIMEOUT_MS = 120_000
const POLL_MS = 500
const ANSWER_MS = 5000

/**
 * Returns when PM2 holds every process of these apps to be up and getStatus, asked through the gateway, says that every function and
 * every database answers. Throws
 * what a person needs to go on: the app that PM2 gave up and its last words, or what is still missing after the timeout.
 */
export async function waitUntilAnswering(config: Config, apps: readonly AppSpec[]): Promise<void> {
  const giveUpAt = Date.now() + TIMEOUT_MS
  for (;;) {
    const processes = await listProcesses(config)
    refuseErrored(processes)
    const missing = apps.filter((app) => !isUp(app, processes)).map(({ name }) => name)
    const lacking = missing.length > 0 ? `Not up yet: ${missing.join(', ')}.` : await whatIsLacking(config)
    if (!lacking) return
    if (Date.now() > giveUpAt) {
      throw new CommandFailure(`After ${TIMEOUT_MS / 1000} s not every function answers. ${lacking} See npx pm2 logs.`)
    }
    await sleep(POLL_MS)
  }
}

/** As getStatus, asked through the gateway, tells it; nothing when all is well. */
async function whatIsLacking(config: Config): Promise<string | undefined> {
  try {
    const client = await connect(gatewayUrl(config), { deadlineMs: ANSWER_MS })
    try {
      const { checks, functions, message } = await client.call('getStatus', {})
      // What waits for recovery, or for an admin, is no reason not to serve.
      const serves =
        functions.every(({ instances }) => instances > 0) && checks.every(({ name, ok }) => ok || name !== 'database')
      return serves ? undefined : message
    } finally {
      client.close()
    }
  } catch (error) {
    return (error as Error).message
  }
}

/** Throws, with its last words, where PM2 gave up one of our apps. */
function refuseErrored(processes: readonly Pm2Process[]): void {
  const errored = processes.find(({ ours, status }) => ours && status === 'errored')
  if (!errored) return
  throw new CommandFailure(
    `The PM2 app ${errored.app} does not start: PM2 gave it up (errored). Its last words:\n${lastWords(errored)}`,
  )
}

/** All its instances run, none of them on the way to be given up. */
function isUp({ name, instances, min_uptime }: AppSpec, processes: readonly Pm2Process[]): boolean {
  const up = processes.filter(
    ({ app, ours, status, unstableRestarts, startedAt }) =>
      ours && app === name && status === 'online' && (unstableRestarts === 0 || Date.now() - startedAt > min_uptime),
  )
  return up.length === instances
}

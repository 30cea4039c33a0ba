import { io, type Socket } from 'socket.io-client'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '../config/index.js'
import type { AppSpec } from '../platform/ecosystem.js'
import { Failure } from './command.js'
import { lastWords, listProcesses, type Pm2Process } from './pm2.js'

const TIMEOUT_MS = 120_000
const POLL_MS = 500

/**
 * Returns when PM2 holds every process of these apps to be up and getStatus, asked through the gateway, says OK. Throws
 * what a person needs to go on: the app that PM2 gave up and its last words, or what is still missing after the timeout.
 */
export async function waitUntilAnswering(config: Config, apps: readonly AppSpec[]): Promise<void> {
  const socket = io(`http://${config.gateway.host}:${config.gateway.port}`, {
    transports: ['websocket'],
    reconnectionDelayMax: POLL_MS,
  })
  try {
    const giveUpAt = Date.now() + TIMEOUT_MS
    for (;;) {
      const processes = await listProcesses(config)
      refuseErrored(processes)
      const missing = apps.filter((app) => !isUp(app, processes)).map(({ name }) => name)
      const status = await getStatus(socket)
      if (missing.length === 0 && status === 'OK') return
      if (Date.now() > giveUpAt) {
        throw new Failure(
          `Not everything answers after ${TIMEOUT_MS / 1000} s. PM2 apps not up: ${missing.join(', ') || 'none'}; getStatus: ${status}. See npx pm2 logs.`,
        )
      }
      await sleep(POLL_MS)
    }
  } finally {
    socket.disconnect()
  }
}

async function getStatus(socket: Socket): Promise<string> {
  try {
    const answer = (await socket.timeout(2000).emitWithAck('getStatus', {})) as {
      data?: { status: string; message: string }
    }
    return answer.data ? `${answer.data.status}` : 'no'
  } catch {
    return 'no answer'
  }
}

/** Throws, with its last words, where PM2 gave up one of our apps. */
function refuseErrored(processes: readonly Pm2Process[]): void {
  const errored = processes.find(({ ours, status }) => ours && status === 'errored')
  if (!errored) return
  throw new Failure(
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

import { setTimeout as sleep } from 'node:timers/promises'
import { SETTINGS, type Config } from '../../config/index.js'
import { CommandFailure } from './command.js'
import { isFree } from './mongodData.js'
import type { Pm2Process } from './pm2.js'

/** What was just stopped, or lost its PM2, may still be on its way out. */
const PORT_GRACE_MS = 5000

/** Throws where another program has a port that we are to listen at. */
export async function refuseTakenPorts(
  processes: readonly Pm2Process[],
  { gateway, jobsPort, webhooks }: Config,
): Promise<void> {
  const ports = [
    { setting: 'GATEWAY_PORT', apps: ['gateway'], host: gateway.host, port: gateway.port },
    { setting: 'JOBS_PORT', apps: ['agendash', 'background'], host: '127.0.0.1', port: jobsPort },
    { setting: 'WEBHOOK_PORT', apps: ['webhooks', 'background'], host: webhooks.host, port: webhooks.port },
  ]
  for (const { setting, apps, host, port } of ports) {
    const running = processes.find((process) => process.ours && apps.includes(process.app) && process.pid > 0)
    if (running && Number(running.env[setting] || fallbackOf(setting)) === port) continue
    if (await isFreeWithin(PORT_GRACE_MS, port, host)) continue
    throw new CommandFailure(
      `${setting}=${port}: another program listens at ${host}:${port}. Stop it, or set ${setting}.`,
    )
  }
}

const fallbackOf = (setting: string): string =>
  String(Object.values(SETTINGS).find(({ env }) => env === setting)?.fallback)

async function isFreeWithin(timeoutMs: number, port: number, host: string): Promise<boolean> {
  for (const giveUpAt = Date.now() + timeoutMs; ; await sleep(200)) {
    if (await isFree(port, host)) return true
    if (Date.now() > giveUpAt) return false
  }
}

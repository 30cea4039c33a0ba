import { setTimeout as sleep } from 'node:timers/promises'
import { loadConfig, type Config } from '../config/index.js'
import { ecosystem, type AppSpec } from '../platform/app/ecosystem.js'
import { explainPlacement, thisMachine } from '../platform/app/placement.js'
import { PACKAGE_ROOT } from '../platform/lib/packageRoot.js'
import { migrateUp } from '../platform/migrations/migrations.js'
import { bringUp } from './lib/bringUp.js'
import { command, CommandFailure } from './lib/command.js'
import { startEmbeddedMongo } from './lib/embedded.js'
import { isFree } from './lib/mongodData.js'
import { listProcesses, type Pm2Process } from './lib/pm2.js'
import { stopwatch } from './lib/stopwatch.js'

const USAGE = `npm start

Builds, finds or starts MongoDB, migrates, starts everything under PM2, and ends when every function answers.
What runs already is reloaded without a failed request. Settings come from the environment; README.md lists them.`

/** What was just stopped, or lost its PM2, may still be on its way out. */
const PORT_GRACE_MS = 5000

const NEXT = `
Next:
  npm run demo                     an admin and a user book a car before your eyes
  npm run token -- --role admin    a token for the gateway
  npm run audit                    check all books
  npx pm2 ls                       what runs (npx pm2 logs | monit | describe gateway)
  npm run reload                   restart everything without a failed request
  npm stop                         stop it and keep the data`

await command(USAGE, {}, async () => {
  const say = stopwatch()
  const config = loadConfig()
  const apps = ecosystem(config, PACKAGE_ROOT)
  say(explainPlacement(config.placement, thisMachine()))
  const processes = await listProcesses(config)
  refuseStrangers(apps, processes, config)
  await refuseTakenPorts(processes, config)

  if (config.embeddedMongo) await startEmbeddedMongo(config, say)
  await migrateUp(config, { say })
  await bringUp(config, apps, say)
  say(`Ready: ${config.gateway.host}:${config.gateway.port} (socket.io, websocket transport)`)
  console.log(NEXT)
})

/** Apps of another project, or of another checkout of this one: PM2 would mix them up with ours. */
function refuseStrangers(apps: readonly AppSpec[], processes: readonly Pm2Process[], { pm2Home }: Config): void {
  const stranger = processes.find(({ ours, app }) => !ours && apps.some(({ name }) => name === app))
  if (!stranger) return
  throw new CommandFailure(
    `PM2_HOME=${pm2Home} has an app "${stranger.app}" that was not started from here: set another PM2_HOME, with other ports and another DATA_DIR`,
  )
}

async function isFreeWithin(timeoutMs: number, port: number, host: string): Promise<boolean> {
  for (const giveUpAt = Date.now() + timeoutMs; ; await sleep(200)) {
    if (await isFree(port, host)) return true
    if (Date.now() > giveUpAt) return false
  }
}

async function refuseTakenPorts(
  processes: readonly Pm2Process[],
  { gateway, jobsPort, webhooks }: Config,
): Promise<void> {
  const ports = [
    { setting: 'GATEWAY_PORT', app: 'gateway', host: gateway.host, port: gateway.port },
    { setting: 'JOBS_PORT', app: 'agendash', host: '127.0.0.1', port: jobsPort },
    { setting: 'WEBHOOK_PORT', app: 'webhooks', host: webhooks.host, port: webhooks.port },
  ]
  for (const { setting, app, host, port } of ports) {
    const ours = processes.some((process) => process.ours && process.app === app && process.pid > 0)
    if (ours || (await isFreeWithin(PORT_GRACE_MS, port, host))) continue
    throw new CommandFailure(
      `${setting}=${port}: another program listens at ${host}:${port}. Stop it, or set ${setting}.`,
    )
  }
}

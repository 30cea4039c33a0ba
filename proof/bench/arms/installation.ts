import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadConfig, type Config } from '../../../config/index.js'
import { ecosystem } from '../../../platform/app/ecosystem.js'
import { PACKAGE_ROOT as ROOT } from '../../../platform/lib/packageRoot.js'
import { startProcess, type Running } from '../processes.js'

/** A whole running system. */
export interface Installation {
  config: Config
  url: string
  /** Several may be of one app. */
  processes: Pick<Running, 'name' | 'pids'>[]
  /** Processes that have ended though nobody stopped them. */
  ended(): Promise<string[]>
  stop(): Promise<void>
}

/**
 * Every app of the ecosystem, started from here instead of by PM2. `placement` as the setting PLACEMENT has it: instances
 * by domain or operation.
 */
export async function startInstallation(mongodbUri: string, placement = ''): Promise<Installation> {
  const dataDir = await mkdtemp(join(tmpdir(), 'holdfast-performance-'))
  const [gatewayPort, jobsPort, webhookPort, discoveryPort] = await freePorts(4)
  const env = {
    NODE_ENV: 'development',
    DATA_DIR: dataDir,
    MONGODB_URI: mongodbUri,
    GATEWAY_PORT: String(gatewayPort),
    JOBS_PORT: String(jobsPort),
    WEBHOOK_PORT: String(webhookPort),
    DISCOVERY_PORT: String(discoveryPort),
    RATE_LIMIT_PER_SECOND: '0',
    PLACEMENT: placement,
  }
  const config = loadConfig(env)
  const logFile = join(dataDir, 'log.txt')
  const apps = ecosystem(config, ROOT)
  const started: Promise<Running>[] = apps.flatMap(({ name, script, args = [], instances, exec_mode }) => {
    if (exec_mode === 'cluster') {
      const primary = fileURLToPath(new URL('./gatewayWorkers.js', import.meta.url))
      return [startProcess(name, primary, { args: [String(instances)], env, logFile })]
    }
    return Array.from({ length: instances }, () => startProcess(name, script, { args, env, logFile }))
  })
  const stop = async (): Promise<void> => {
    const running = (await Promise.allSettled(started)).flatMap((each) =>
      each.status === 'fulfilled' ? [each.value] : [],
    )
    await Promise.all(running.map((each) => each.stop()))
  }
  try {
    const processes = await Promise.all(started)
    return {
      config,
      url: `http://${config.gateway.host}:${config.gateway.port}`,
      processes,
      ended: () => Promise.resolve(processes.filter((each) => !each.runs()).map(({ name }) => name)),
      async stop() {
        await stop()
        await rm(dataDir, { recursive: true, force: true })
      },
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Ports that are free now, as the operating system chooses them. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  return Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve, reject) => {
          server.once('error', reject)
          server.once('listening', () => {
            const address = server.address() as { port: number }
            server.close(() => resolve(address.port))
          })
        }),
    ),
  )
}

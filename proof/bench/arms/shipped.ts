import { join } from 'node:path'
import { readFile } from 'node:fs/promises'
import { loadConfig } from '../../../config/index.js'
import { install, PACKAGE, run } from '../../support/installation.js'
import type { Installation } from './installation.js'

/**
 * The product as whoever types `npm start` gets it: built, under PM2, in apps as fit the machine unless `placement` says
 * otherwise. Limits are off, since one address has all clients. Without a `mongodbUri` it runs its own MongoDB.
 */
export async function startShipped(mongodbUri: string, placement: string): Promise<Installation> {
  const system = await install({ MONGODB_URI: mongodbUri, PLACEMENT: placement })
  try {
    const { code, output } = await run('npm', ['-s', 'start'], PACKAGE, system.env)
    if (code !== 0) throw new Error(`npm start failed:\n${output}`)
    const started = await system.rows()
    const daemon = Number(await readFile(join(String(system.env['PM2_HOME']), 'pm2.pid'), 'utf8'))
    return {
      // Its secrets were made when it started.
      config: loadConfig(system.env),
      url: system.url,
      processes: [
        // It shares the gateway's connections out.
        { name: 'PM2', pids: [daemon] },
        ...started.map(({ app, pid }) => ({ name: app, pids: [pid] })),
      ],
      async ended() {
        const now = new Set((await system.rows()).map(({ pid }) => pid))
        return started.filter(({ pid }) => !now.has(pid)).map(({ app, pid }) => `${app} (${pid})`)
      },
      stop: () => system.remove(),
    }
  } catch (error) {
    await system.remove()
    throw error
  }
}

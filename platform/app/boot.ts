import { runApp } from './app.js'
import { connect } from '../runtime/connect.js'
import { createCoteTransport } from '../calls/cote.js'
import { createSystem, type System } from '../runtime/system.js'

/**
 * A PM2 app on the databases of these domains that hosts no functions. Waits while they are out of reach. `start` answers
 * how to stop.
 */
export const boot = (
  app: string,
  domains: readonly string[],
  start: (system: System) => Promise<() => Promise<void>>,
): Promise<void> =>
  runApp(app, async (config, log) => {
    const transport = await createCoteTransport({ config, log })
    const system = createSystem({ app, config, log, functions: [], transport })
    for (const domain of domains) await connect(system, domain)
    const end = await start(system)
    return { stop: () => end().then(() => system.close()) }
  })

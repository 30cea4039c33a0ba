import { constants, setPriority } from 'node:os'
import { parseArgs } from 'node:util'
import { runApp } from './app.js'
import { startDispatching } from '../events/dispatcher.js'
import { runHost } from './runHost.js'

/**
 * A PM2 app that hosts functions:
 *
 *     node platform/app/host.js --app users --operations signUp,signIn
 *
 * With `--dispatch` it also delivers events, in turn with the others that do; with `--yield` it leaves the CPU to others
 * where there is too little of it. It is ready when they answer.
 */
const { values } = parseArgs({
  options: {
    app: { type: 'string' },
    operations: { type: 'string' },
    dispatch: { type: 'boolean' },
    yield: { type: 'boolean' },
  },
})

await runApp(values.app ?? 'host', async (config, log) => {
  const { app, operations, dispatch } = values
  if (!app || !operations) throw new Error('Usage: host --app <name> --operations <a,b,c>')
  const host = await runHost({ app, operations: operations.split(','), config, log })
  if (values.yield) setPriority(constants.priority.PRIORITY_BELOW_NORMAL)
  const dispatching = dispatch ? await startDispatching(host.system) : undefined
  return {
    about: { operations },
    async stop() {
      await dispatching?.stop()
      await host.stop()
    },
  }
})

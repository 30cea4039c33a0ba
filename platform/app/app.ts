import { setTimeout as sleep } from 'node:timers/promises'
import { loadConfig, type Config } from '../../config/index.js'
import { createLogger, type Logger } from '../lib/log.js'

export interface RunningApp {
  /** Lets what is under way end, then closes. */
  stop(): Promise<void>
  /** For the line of log that says `ready`. */
  about?: object
}

/** Beyond config.drainMs, for closing; PM2 kills a little later. */
const CLOSE_MS = 1000

/**
 * The life of a PM2 app in fork mode. Says `ready` to PM2 when `start` resolves; whatever makes it impossible is one line
 * of log and exit code 1, so that PM2 ends in `errored`. SIGINT and SIGTERM stop it, then it exits with 0, and does so in
 * the end even where something that is out of reach keeps it from stopping.
 */
export async function runApp(name: string, start: (config: Config, log: Logger) => Promise<RunningApp>): Promise<void> {
  let log = createLogger(name, 'info')
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'failed')
    process.exit(1)
  })
  // Until it has started there is nothing to end well.
  let stop = (): void => process.exit(0)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop())
  // PM2 itself is gone: whatever stays would run beside what the next PM2 starts, with nobody to stop it.
  process.on('disconnect', () => stop())

  try {
    const config = loadConfig()
    log = createLogger(name, config.logLevel)
    const running = await start(config, log)
    stop = () => {
      stop = () => {}
      log.info('stopping')
      void Promise.race([running.stop(), sleep(config.drainMs + CLOSE_MS)]).then(() => process.exit(0))
    }
    log.info(running.about ?? {}, 'ready')
    process.send?.('ready')
  } catch (error) {
    log.fatal({ err: error }, 'could not start')
    process.exit(1)
  }
}

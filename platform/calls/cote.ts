import type { Config } from '../../config/index.js'
import { createCaller } from './caller.js'
import { createHost, type CoteHost, type Hosting } from './host.js'
import type { Logger } from '../lib/log.js'
import { createLogOnce } from '../lib/logOnce.js'
import type { Transport } from '../runtime/transport.js'

export interface CoteTransport extends Transport {
  /** Offers this process's functions to others. Once a process; the gateway never. */
  serve(hosting: Hosting): Promise<void>
  /**
   * Before stopping: tells callers to send no more, goes on answering until all of them have what they wait for, or
   * until timeoutMs have passed. Calls of our own still work.
   */
  drain(timeoutMs: number): Promise<void>
}

/** Calls between processes, over cote. Rejects where the port of discovery cannot be had. */
export async function createCoteTransport(options: { config: Config; log: Logger }): Promise<CoteTransport> {
  const { config, log } = options
  const logOnce = createLogOnce(log)
  const caller = await createCaller(config, log, logOnce)
  let host: CoteHost | undefined

  return {
    request: caller.request,
    tell: (hint) => host?.tell(hint),
    hear: caller.hear,
    peers: caller.peers,
    health: caller.health,
    async serve(hosting) {
      host = await createHost(config, log, logOnce, hosting)
      caller.ignore(host.id)
    },
    async drain(timeoutMs) {
      await host?.drain(timeoutMs)
    },
    close() {
      host?.close()
      caller.close()
      return Promise.resolve()
    },
  }
}

import type { Server, Socket } from 'socket.io'
import type { Operation } from '../platform/contract/contract.js'
import type { Logger } from '../platform/lib/log.js'
import type { Config } from '../config/index.js'
import type { Transport } from '../platform/runtime/transport.js'
import { createAcknowledge } from './acknowledgements.js'
import { createFeedHub, type Pace } from './feedHub.js'
import type { WatchFeeds } from './feedWatch.js'
import { createPresenceReporter } from './presence.js'
import { createSystemCall } from './systemCall.js'
import { createSocketFeeds, payloadOf, type Comeback, type SocketFeeds } from './socketFeeds.js'

/** What was not heard of is found by then. */
const SWEEP_MS = 2000

/** All feeds of this worker. */
export interface GatewayFeeds {
  of(socket: Socket, comeback: Comeback, pace: Pace): SocketFeeds
  close(): void
}

export function createGatewayFeeds(options: {
  io: Server
  config: Pick<Config, 'deadlinesMs'>
  log: Logger
  request: Transport['request']
  contracts: ReadonlyMap<string, Operation>
  watch: WatchFeeds
  newId: () => string
}): GatewayFeeds {
  const { io, log, watch } = options
  const call = createSystemCall(options)
  const hub = createFeedHub({
    log,
    call,
    broadcast: (entry) => void io.local.to(entry.feed).emit(entry.name, payloadOf(entry)),
  })
  let sweeping = false

  function sweep(): void {
    if (sweeping) return
    sweeping = true
    hub
      .sweep()
      .catch((error: unknown) => log.debug({ err: error }, 'feeds out of reach'))
      .finally(() => (sweeping = false))
  }

  const acknowledge = createAcknowledge(options)
  const presence = createPresenceReporter({ hub, call, worker: options.newId(), log })
  watch({ appended: (entry) => hub.take(entry), opened: sweep })
  const timer = setInterval(sweep, SWEEP_MS)
  return {
    of: (socket, comeback, pace) =>
      createSocketFeeds({ socket, hub, moved: presence.moved, acknowledge, comeback, pace }),
    close() {
      clearInterval(timer)
      presence.stop()
    },
  }
}

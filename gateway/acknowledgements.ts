import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '../config/index.js'
import type { Operation } from '../platform/contract/contract.js'
import { fullName, sendingOf } from '../platform/runtime/invocation.js'
import type { Logger } from '../platform/lib/log.js'
import type { Transport } from '../platform/runtime/transport.js'
import type { Entry } from '../functions/feeds/contract.js'

/** What is to happen when a socket of this user acknowledges this entry; undefined: it need not. */
export type Acknowledge = (userId: string, entry: Entry) => (() => void) | undefined

const ATTEMPTS = 5
const FIRST_PAUSE_MS = 200

/**
 * An acknowledgement is a call of the operation whose contract names the event, by the socket's user. It costs the user
 * none of their rate: others decide how much they are sent. An outcome that gets lost is tried again; after that the
 * client's next acknowledgement of the same entry says it.
 */
export function createAcknowledge(options: {
  contracts: ReadonlyMap<string, Operation>
  config: Pick<Config, 'deadlinesMs'>
  request: Transport['request']
  log: Logger
  newId: () => string
}): Acknowledge {
  const { contracts, config, request, log, newId } = options
  const operations = new Map(
    [...contracts.values()].flatMap((operation) =>
      operation.acknowledges ? [[operation.acknowledges.event, operation] as const] : [],
    ),
  )

  async function call(operation: Operation, userId: string, input: unknown): Promise<void> {
    const requestId = newId()
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const result = await request(
        {
          operation: fullName(operation),
          input,
          caller: { userId, role: 'user' },
          requestId,
          ttlMs: config.deadlinesMs[operation.deadline],
        },
        sendingOf(operation, input),
      )
      if (result.ok || !result.error.retryable) return
      log.debug({ requestId, operation: operation.name, code: result.error.code }, 'acknowledgement not taken yet')
      await sleep(FIRST_PAUSE_MS * 2 ** attempt)
    }
  }

  return (userId, { name, data }) => {
    const operation = operations.get(name)
    if (!operation?.acknowledges) return undefined
    const input = operation.acknowledges.input(data)
    return () => void call(operation, userId, input)
  }
}

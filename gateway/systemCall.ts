import type { Config } from '../config/index.js'
import type { CallInput, Operation, Output } from '../platform/contract/contract.js'
import { Refusal } from '../platform/contract/errors.js'
import { fullName, sendingOf } from '../platform/runtime/invocation.js'
import type { Transport } from '../platform/runtime/transport.js'

/** Calls functions on behalf of the gateway itself. Refusals are thrown. */
export function createSystemCall({
  request,
  config,
  newId,
}: {
  request: Transport['request']
  config: Pick<Config, 'deadlinesMs'>
  newId: () => string
}): <Op extends Operation>(operation: Op, input: CallInput<Op>) => Promise<Output<Op>> {
  return async (operation, input) => {
    const result = await request(
      {
        operation: fullName(operation),
        input,
        caller: null,
        requestId: newId(),
        ttlMs: config.deadlinesMs[operation.deadline],
      },
      sendingOf(operation, input),
    )
    if (result.ok) return result.data as Output<typeof operation>
    const { code, message, details } = result.error
    throw new Refusal(code, message, details)
  }
}

import mongoose from 'mongoose'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CallInput, Operation, Output } from '../../../platform/contract/contract.js'
import { ERRORS, Refusal } from '../../../platform/contract/errors.js'
import type { Caller } from '../../../platform/contract/caller.js'
import { fullName } from '../../../platform/runtime/invocation.js'
import type { Transport } from '../../../platform/runtime/transport.js'

/** Calls functions as the gateway does, and sends what was not answered again, the same, until it is. */
export interface Shopper {
  /** Answers the data; throws the Refusal that stands. */
  call<Op extends Operation>(operation: Op, input: CallInput<Op>, caller?: Caller | null): Promise<Output<Op>>
  newId(): string
  /** How often something was sent again. */
  repeats(): number
}

const AGAIN_AFTER_MS = 100

export function createShopper(transport: Pick<Transport, 'request'>, deadlinesMs: Record<string, number>): Shopper {
  const newId = () => new mongoose.Types.ObjectId().toHexString()
  let repeats = 0
  return {
    newId,
    repeats: () => repeats,
    async call(operation, input, caller = null) {
      for (;;) {
        const envelope = {
          operation: fullName(operation),
          input,
          caller,
          requestId: newId(),
          ttlMs: deadlinesMs[operation.deadline] as number,
        }
        const result = await transport.request(envelope, { idempotent: operation.idempotent })
        if (result.ok) return result.data as never
        const { code, message, details } = result.error
        if (!ERRORS[code].retryable) throw new Refusal(code, message, details)
        repeats++
        await sleep(AGAIN_AFTER_MS)
      }
    },
  }
}

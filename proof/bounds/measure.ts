import type { Operation } from '../../platform/contract/contract.js'
import { fullName, withNewId } from '../../platform/runtime/invocation.js'
import type { System } from '../../platform/runtime/system.js'
import { bytesOf, jsonSchema, largestOf } from '../support/largest.js'
import { blockedBy, timeOf } from './blocked.js'
import type { World } from './fill.js'
import { largestCall } from './inputs.js'

export interface Bound {
  operation: string
  internal: boolean
  /** The longest input that the contract lets through, in bytes of JSON; Infinity: its callers decide. */
  inputBytes: number
  /** `ok`, or the code of the refusal. */
  answer: string
  answerBytes: number
  /** The longest piece of work during which nothing else had a turn, in the process of the function or in the gateway. */
  blockedMs: number
  tookMs: number
}

/** What may be asked again is, and the least counts: whatever else the machine does only adds to it. */
const TIMES = 3
/** Once is enough. */
const LONG_MS = 1000

export async function measureBound(system: System, operation: Operation, world: World): Promise<Bound> {
  const { input, caller } = largestCall(operation, world)
  const envelope = () => ({
    operation: fullName(operation),
    input: withNewId(operation, structuredClone(input), system.newId),
    caller,
    requestId: system.newId(),
    ttlMs: system.config.deadlinesMs[operation.deadline],
  })
  const tries: Omit<Bound, 'operation' | 'internal' | 'inputBytes'>[] = []
  for (let i = 0; i < (operation.idempotent ? TIMES : 1) && (tries[0]?.tookMs ?? 0) < LONG_MS; i++) {
    const { value, blockedMs, tookMs } = await blockedBy(() => system.handle(envelope()))
    let text = ''
    // Written by the function's process; read and written once more by the gateway's.
    const writingMs = timeOf(() => (text = JSON.stringify(value)))
    const passingOnMs = timeOf(() => JSON.stringify(JSON.parse(text)))
    tries.push({
      answer: value.ok ? 'ok' : value.error.code,
      answerBytes: value.ok ? bytesOf(value.data) : Buffer.byteLength(text),
      blockedMs: Math.max(blockedMs, writingMs, passingOnMs),
      tookMs,
    })
  }
  const [least] = tries.sort((a, b) => a.blockedMs - b.blockedMs)
  return {
    operation: operation.name,
    internal: operation.access === 'internal',
    inputBytes: largestOf(jsonSchema(operation.input, 'input')),
    ...(least as (typeof tries)[number]),
  }
}

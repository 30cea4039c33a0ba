import { untilMajority } from '../../support/majority.js'
import { HOUR_MS, START } from '../../support/system.js'
import type { Caller } from '../../../platform/contract/caller.js'
import type { CallInput, Operation, Output } from '../../../platform/contract/contract.js'
import { Refusal, type Result } from '../../../platform/contract/errors.js'
import type { Store } from '../../tickets/support.js'

/** What docs/examples.json has of an operation: the first request of the scenario, and its answer. */
export interface Example {
  by: string
  input: unknown
  answer: unknown
}

/** Whoever calls, by the name that they have in examples. */
export type Person = Caller & { name: string }
export const ADMIN: Person = { name: 'an admin', userId: 'aaaaaaaaaaaaaaaaaaaaaaaa', role: 'admin' }

export interface Stage {
  store: Store
  examples: Map<string, Example>
  /** Calls an operation a minute after the one before; its first call becomes its example. Throws the Refusal. */
  ask<Op extends Operation>(operation: Op, input: CallInput<Op>, by?: Person | null): Promise<Output<Op>>
  /** The same, where it is refused. */
  refused<Op extends Operation>(operation: Op, input: CallInput<Op>, by?: Person | null): Promise<void>
}

const MINUTE_MS = 60_000

export function createStage(store: Store): Stage {
  const examples = new Map<string, Example>()
  async function answerTo(operation: Operation, input: unknown, by: Person | null): Promise<Result<unknown>> {
    // What retries of events take of the clock on the way is less than a minute.
    store.clock.advance(MINUTE_MS - (store.now().getTime() % MINUTE_MS))
    // What the call before wrote at w:1 is in every read of this one.
    await untilMajority(store)
    const requestId = `request-${examples.size + 1}`
    const { name, ...caller } = by ?? { ...ADMIN, name: 'anyone' }
    const answer = await answerOf(() => store.call(operation, input, { caller: by && caller, requestId }), requestId)
    if (!examples.has(operation.name)) examples.set(operation.name, { by: name, input, answer })
    return answer
  }
  return {
    store,
    examples,
    async ask<Op extends Operation>(operation: Op, input: CallInput<Op>, by: Person | null = ADMIN) {
      const answer = await answerTo(operation, input, by)
      if (answer.ok) return answer.data as Output<Op>
      throw new Error(`${operation.name} was refused: ${JSON.stringify(answer.error)}`)
    },
    async refused(operation, input, by = ADMIN) {
      const answer = await answerTo(operation, input, by)
      if (answer.ok) throw new Error(`${operation.name} was not refused`)
    },
  }
}

async function answerOf(call: () => Promise<unknown>, requestId: string): Promise<Result<unknown>> {
  try {
    return { ok: true, data: await call() }
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, error: error.toPublic(requestId) }
    throw error
  }
}

const ID = /^[0-9a-f]{24}$/
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const SECRETS = new Set(['token', 'refreshToken', 'key'])

/** Places in a log are as high at least. */
const PLACES = 2 ** 40

/**
 * The same in every run: ids, and places in logs, which follow from ids, are counted in the order of the examples; tokens are
 * left out, times cut to the minute.
 */
export function steady(examples: Map<string, Example>): Record<string, Example> {
  const ids = new Map<string, string>()
  const counted = (id: string): string => {
    if (!ids.has(id)) ids.set(id, `0123456789abcdef${(ids.size + 1).toString(16).padStart(8, '0')}`)
    return ids.get(id) as string
  }
  const text = (each: string): string => {
    if (ID.test(each)) return counted(each)
    if (TIME.test(each)) return `${each.slice(0, 17)}00.000Z`
    return each.replace(/\b[0-9a-f]{24}\b/g, counted)
  }
  const places = new Map<number, number>()
  const placeOf = (seq: number): number => {
    if (!places.has(seq)) places.set(seq, PLACES + places.size + 1)
    return places.get(seq) as number
  }
  const walk = (value: unknown, key = ''): unknown => {
    if (key === 'seq' && typeof value === 'number' && value > PLACES) return placeOf(value)
    if (typeof value === 'string') return SECRETS.has(key) ? `<${key}>` : text(value)
    if (Array.isArray(value)) return value.map((each) => walk(each))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, walk(each, name)]))
  }
  return Object.fromEntries([...examples].map(([name, example]) => [name, walk(example) as Example]))
}

export const at = (hours: number): string => new Date(START.getTime() + hours * HOUR_MS).toISOString()
export const hours = (from: number, to: number) => ({ from: at(from), to: at(to) })

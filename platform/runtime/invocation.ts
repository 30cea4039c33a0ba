import { z } from 'zod'
import type { Operation } from '../contract/contract.js'
import { Refusal } from '../contract/errors.js'
import type { Caller } from '../contract/caller.js'
import { id } from '../contract/types.js'
import type { Sending } from './transport.js'

/** What the gateway and the functions both do with a call before it is made; knows contracts, no database. */

/** An input may break the contract in thousands of places; its author reads the first few. */
const MAX_ISSUES = 20
const MAX_ISSUE_CHARS = 300

export const fullName = (operation: Operation): string => `${operation.domain}.${operation.name}`

/** How such a call is sent. */
export const sendingOf = (operation: Operation, input: unknown): Sending => ({
  idempotent: operation.idempotent,
  key: operation.key?.(input),
})

/** Ids are fixed by the first caller, so that a call sent again after a lost reply is the same call. */
export function withNewId(operation: Operation, input: unknown, newId: () => string): unknown {
  const key = operation.newId
  if (!key || typeof input !== 'object' || input === null || Object.hasOwn(input, key)) return input
  return { ...input, [key]: newId() }
}

/**
 * The ids that an input has by its contract, for the log: whatever else it says, passwords and texts, is not told. An
 * input that nobody has checked yet may have anything in their place.
 */
export function idsIn(operation: Operation, input: unknown): Record<string, string> {
  const ids: Record<string, string> = {}
  if (typeof input !== 'object' || input === null) return ids
  for (const field of idFieldsOf(operation)) {
    const value = (input as Record<string, unknown>)[field]
    if (typeof value === 'string' && ID.test(value)) ids[field] = value
  }
  return ids
}

const ID = /^[0-9a-f]{24}$/
const idFields = new WeakMap<Operation, readonly string[]>()

function idFieldsOf(operation: Operation): readonly string[] {
  let known = idFields.get(operation)
  if (!known) {
    const shape = operation.input instanceof z.ZodObject ? (operation.input.shape as Record<string, z.ZodType>) : {}
    known = Object.keys(shape).filter((field) => bare(shape[field]) === id)
    idFields.set(operation, known)
  }
  return known
}

const bare = (type: unknown): unknown =>
  type instanceof z.ZodOptional || type instanceof z.ZodDefault || type instanceof z.ZodNullable
    ? bare(type.unwrap())
    : type

/** Who called, for the log. */
export const nameOfCaller = (caller: Pick<Caller, 'userId'> | null): string => caller?.userId ?? 'nobody'

export function authorise(operation: Operation, caller: Caller | null): void {
  if (operation.access === 'anyone' || operation.access === 'internal') return
  // A call without a caller from inside (a job) acts for the system, which may do what an admin may.
  if (caller && operation.access === 'admin' && caller.role !== 'admin') {
    throw new Refusal('forbidden', `${operation.name} is for admins.`)
  }
}

export function invalidInput(error: { issues: readonly { path: PropertyKey[]; message: string }[] }): Refusal {
  return new Refusal('invalid_input', 'The input breaks the contract.', {
    issues: error.issues.slice(0, MAX_ISSUES).map(({ path, message }) => ({
      path: path.map(String).join('.').slice(0, MAX_ISSUE_CHARS),
      message: message.slice(0, MAX_ISSUE_CHARS),
    })),
  })
}

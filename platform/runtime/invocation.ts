import type { Operation } from '../contract/contract.js'
import { Refusal } from '../contract/errors.js'
import type { Caller } from '../contract/caller.js'

/** What the gateway and the functions both do with a call before it is made; knows contracts, no database. */

/** An input may break the contract in thousands of places; its author reads the first few. */
const MAX_ISSUES = 20
const MAX_ISSUE_CHARS = 300

export const fullName = (operation: Operation): string => `${operation.domain}.${operation.name}`

/** Ids are fixed by the first caller, so that a call sent again after a lost reply is the same call. */
export function withNewId(operation: Operation, input: unknown, newId: () => string): unknown {
  const key = operation.newId
  if (!key || typeof input !== 'object' || input === null || Object.hasOwn(input, key)) return input
  return { ...input, [key]: newId() }
}

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

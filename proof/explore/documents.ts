import mongoose from 'mongoose'
import type { Change, Filter, Id } from '../../protocol/store.js'
import { evaluate, NotModelled } from './expressions.js'

/**
 * What mongod does with one document, for exactly the filters and update operators that the protocol uses. Anything else
 * is an error, so that the proof cannot pass because a guard was not understood. Its test compares it with a mongod.
 */

export type Document = Readonly<Record<string, unknown>> & { readonly _id: Id }

const { ObjectId, Long } = { ObjectId: mongoose.Types.ObjectId, Long: mongoose.mongo.Long }

/** As a driver reads it back: 64-bit integers as numbers, undefined fields absent. */
export function plain<T>(value: T): T {
  if (value instanceof Long) return value.toNumber() as T
  if (Array.isArray(value)) return value.map(plain) as T
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, each]) => (each === undefined ? [] : [[key, plain(each)]])),
  ) as T
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof ObjectId) &&
  !(value instanceof Date)

/** The same text for the same value, whatever the order of its keys: what states are compared by. */
export function textOf(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) =>
    isObject(each) ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1))) : each,
  )
}

export function same(a: unknown, b: unknown): boolean {
  if (a instanceof ObjectId || b instanceof ObjectId)
    return a instanceof ObjectId && b instanceof ObjectId && a.equals(b)
  if (a instanceof Date || b instanceof Date) return a instanceof Date && b instanceof Date && Number(a) === Number(b)
  if (typeof a === 'object' && typeof b === 'object') return textOf(a) === textOf(b)
  return a === b
}

/** What a path leads to: arrays on the way are walked through, each element a value of its own. */
function valuesAt(value: unknown, path: readonly string[]): unknown[] {
  const [key, ...rest] = path
  if (key === undefined) return [value]
  if (Array.isArray(value)) return value.flatMap((each) => (isObject(each) ? valuesAt(each, path) : []))
  return isObject(value) && value[key] !== undefined ? valuesAt(value[key], rest) : []
}

export function matches(filter: Filter, document: unknown): boolean {
  return Object.entries(filter).every(([key, condition]) => {
    if (key === '$or') return (condition as Filter[]).some((each) => matches(each, document))
    if (key === '$nor') return !(condition as Filter[]).some((each) => matches(each, document))
    if (key === '$expr') return evaluate(condition, document) === true
    if (key.startsWith('$')) throw new NotModelled(`filter ${key}`)
    return meets(plain(condition), valuesAt(document, key.split('.')))
  })
}

/** Whether what stands at a path meets a condition: an array does, too, when one of its elements does. */
function meets(condition: unknown, found: unknown[]): boolean {
  const candidates = found.flatMap((value) => (Array.isArray(value) ? [value, ...(value as unknown[])] : [value]))
  if (!isObject(condition) || !Object.keys(condition).some((key) => key.startsWith('$'))) {
    // What is not there is null to it.
    return (condition === null && found.length === 0) || candidates.some((value) => same(value, condition))
  }
  return Object.entries(condition).every(([operator, operand]) => {
    switch (operator) {
      case '$ne':
        return !candidates.some((value) => same(value, operand))
      case '$in':
        return candidates.some((value) => (operand as unknown[]).some((each) => same(value, each)))
      case '$lt':
        return candidates.some((value) => order(value, operand) < 0)
      case '$lte':
        return candidates.some((value) => order(value, operand) <= 0)
      case '$gt':
        return candidates.some((value) => order(value, operand) > 0)
      case '$gte':
        return candidates.some((value) => order(value, operand) >= 0)
      case '$exists':
        return found.length > 0 === operand
      case '$type':
        if (operand !== 'objectId') throw new NotModelled(`$type ${String(operand)}`)
        return candidates.some((value) => value instanceof ObjectId)
      case '$elemMatch':
        return found.some((value) => Array.isArray(value) && value.some((each) => matches(operand as Filter, each)))
      default:
        throw new NotModelled(`condition ${operator}`)
    }
  })
}

/** Below 0: a comes first. Values of different types have no order: not a number, so that no comparison holds. */
function order(a: unknown, b: unknown): number {
  const sameType = (typeof a === 'number' && typeof b === 'number') || (a instanceof Date && b instanceof Date)
  return sameType ? Number(a) - Number(b) : NaN
}

/** The document after an update. */
export function changed(document: Document, change: Change): Document {
  const after: Record<string, unknown> = { ...document }
  const touched = new Set<string>()
  for (const [operator, fields] of Object.entries(change)) {
    for (const [field, given] of Object.entries(fields)) {
      if (field.includes('.')) throw new NotModelled(`update of the path ${field}`)
      // The server refuses the whole update then (ConflictingUpdateOperators).
      if (touched.has(field)) throw new Error(`the update would create a conflict at '${field}'`)
      touched.add(field)
      if (operator === '$unset') {
        delete after[field]
        continue
      }
      after[field] = updated(operator, after[field], plain(given))
    }
  }
  return after as Document
}

function updated(operator: string, before: unknown, operand: unknown): unknown {
  const array = (before ?? []) as unknown[]
  switch (operator) {
    case '$set':
      return operand
    case '$inc':
      return ((before ?? 0) as number) + (operand as number)
    case '$max':
      return before === undefined || (operand as number) > (before as number) ? operand : before
    case '$push': {
      const { $each: each = [operand], $slice: slice } = modifiers(operand, ['$each', '$slice'])
      const pushed = [...array, ...(each as unknown[])]
      if (slice === undefined) return pushed
      if (typeof slice !== 'number' || slice >= 0) throw new NotModelled('a $slice that is not the newest')
      return pushed.slice(slice)
    }
    case '$addToSet': {
      const { $each: each = [operand] } = modifiers(operand, ['$each'])
      return (each as unknown[]).reduce<unknown[]>(
        (set, value) => (set.some((member) => same(member, value)) ? set : [...set, value]),
        array,
      )
    }
    case '$pull':
      return array.filter((each) =>
        isObject(operand) && isObject(each) ? !matches(operand, each) : !meets(operand, [each]),
      )
    default:
      throw new NotModelled(`update ${operator}`)
  }
}

function modifiers(operand: unknown, known: string[]): Record<string, unknown> {
  const found = isObject(operand) ? Object.keys(operand).filter((key) => key.startsWith('$')) : []
  const unknown = found.find((key) => !known.includes(key))
  if (unknown) throw new NotModelled(`modifier ${unknown}`)
  return found.length > 0 ? (operand as Record<string, unknown>) : {}
}

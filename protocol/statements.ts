import type { mongo } from 'mongoose'
import { asOne, guardOfAll, isPlain, operatorOf, together } from './joinedUpdates.js'
import { filterOf, type Change, type Filter, type GuardedUpdate, type Id, type Period } from './store.js'

/** One statement of a bulk write, and the updates that it carries. */
export interface Statement {
  updates: readonly GuardedUpdate[]
  /** How many documents match it where all of its updates land. */
  documents: number
  write: mongo.AnyBulkWriteOperation
}

/**
 * Updates that may land together, or in part, are one statement, since the server plans and checks each statement anew:
 * one for 32 documents costs a third of 32 for one each. Those of one document must not be in one another's way
 * (joinedUpdates.ts); those of several must have the same guards and changes but for their values. Every guard is inside
 * the write still; joined ones may ask for more than one of them would alone, never for less.
 */
export function statementsOf(updates: readonly GuardedUpdate[]): Statement[] {
  const statements: Statement[] = []
  const byShape = new Map<string, GuardedUpdate[]>()
  for (const update of updates) {
    const shape = shapeOf(update)
    const alike = shape === undefined ? undefined : byShape.get(shape)
    if (shape === undefined) statements.push(statementOf(update))
    else if (alike) alike.push(update)
    else byShape.set(shape, [update])
  }
  for (const alike of byShape.values()) {
    const single = new Map<string, GuardedUpdate>()
    for (const group of together(alike)) {
      const [update] = group as [GuardedUpdate]
      const id = String(update.id)
      // A second one of the same document is on its own: each document has one change in a statement.
      if (group.length > 1 || single.has(id)) statements.push(ofOneDocument(group))
      else single.set(id, update)
    }
    if (single.size > 0) statements.push(ofSeveral([...single.values()]))
  }
  return statements
}

export const statementOf = (update: GuardedUpdate): Statement => ofOneDocument([update])

function ofOneDocument(group: GuardedUpdate[]): Statement {
  const joined = asOne(group)
  const filter = { _id: joined.id, ...filterOf(joined) }
  return { updates: group, documents: 1, write: { updateOne: { filter, update: joined.change } } }
}

function ofSeveral(updates: GuardedUpdate[]): Statement {
  const [first] = updates as [GuardedUpdate]
  if (updates.length === 1) return statementOf(first)
  const ids = updates.map(({ id }) => id)
  return {
    updates,
    documents: updates.length,
    write: {
      updateMany: {
        filter: { _id: { $in: ids }, ...guardOfAll(updates.map(({ guard }) => guard)), ...freeForEach(updates, ids) },
        update: changeOfEach(updates, ids),
        hint: { _id: 1 },
      },
    },
  }
}

/** True: the document, as it was seen after such a write, would turn the update away if it came again. */
export function isRuledOut({ guard }: GuardedUpdate, seen: object | null): boolean {
  if (!seen) return true
  return Object.entries(guard).some(([path, condition]) => {
    const values = valuesAt(seen, path.split('.'))
    if (operatorOf(condition) === '$ne') return values.some((each) => isSame(each, (condition as { $ne: unknown }).$ne))
    return isScalar(condition) && values.length > 0 && !values.some((each) => isSame(each, condition))
  })
}

// --- guards

/** That nothing overlaps a document's own period, where each has another one. */
function freeForEach(updates: GuardedUpdate[], ids: Id[]): Filter {
  const [first] = updates as [GuardedUpdate]
  if (!first.free) return {}
  const isOverlap = { $and: [{ $lt: ['$$held.from', '$$own.to'] }, { $gt: ['$$held.to', '$$own.from'] }] }
  const held = { $ifNull: [`$${first.free.array}`, []] }
  const taken = { $anyElementTrue: [{ $map: { input: held, as: 'held', in: isOverlap } }] }
  const periods = updates.map(({ free }) => free?.period as Period)
  return { $expr: { $let: { vars: { own: own(periods, ids) }, in: { $not: [taken] } } } }
}

// --- changes

const OWN = '__own'
/** What becomes of a field, given what a document's own change says of it. */
const EXPRESSIONS: Record<string, (field: string) => unknown> = {
  $set: (field) => `$${OWN}.${field}`,
  $inc: (field) => ({ $add: [{ $ifNull: [`$${field}`, 0] }, `$${OWN}.${field}`] }),
  $push: (field) => ({ $concatArrays: [{ $ifNull: [`$${field}`, []] }, [`$${OWN}.${field}`]] }),
}

/** Each document finds its own change by its id, and does it. */
function changeOfEach(updates: GuardedUpdate[], ids: Id[]): mongo.Document[] {
  const [first] = updates as [GuardedUpdate]
  const changes = updates.map(({ change }) => Object.assign({}, ...Object.values(change)) as object)
  const fields = Object.entries(first.change).flatMap(([operator, of]) =>
    Object.keys(of).map((field) => [field, EXPRESSIONS[operator]?.(field)]),
  )
  return [{ $set: { [OWN]: own(changes, ids) } }, { $set: Object.fromEntries(fields) as object }, { $unset: OWN }]
}

/** Of these values the one at the place that the document has among the ids. */
const own = (values: object[], ids: Id[]) => ({
  $arrayElemAt: [{ $literal: values }, { $indexOfArray: [{ $literal: ids }, '$_id'] }],
})

// --- shapes

/** Updates of one shape can be joined; undefined: it can't be joined with any. */
function shapeOf({ guard, change, free }: GuardedUpdate): string | undefined {
  const guards = Object.entries(guard).map(([field, condition]) => {
    if (field.startsWith('$')) return undefined
    const operator = operatorOf(condition)
    if (operator) return `${field} ${operator}`
    return isScalar(condition) ? `${field} = ${typeof condition} ${String(condition)}` : undefined
  })
  const changes = Object.entries(change).map(([operator, fields]) =>
    operator in EXPRESSIONS && isJoinable(fields) ? `${operator} ${Object.keys(fields).join()}` : undefined,
  )
  const parts = [...guards, ...changes, free?.array ?? '']
  return parts.includes(undefined) ? undefined : parts.join('\n')
}

/** Fields of the document itself, and values that stand for themselves. */
const isJoinable = (fields: Change[string]): boolean =>
  Object.entries(fields).every(
    ([field, value]) =>
      !field.includes('.') && value !== undefined && !(isPlain(value) && Object.keys(value)[0]?.startsWith('$')),
  )

// --- values

const isScalar = (value: unknown): boolean => ['string', 'number', 'boolean'].includes(typeof value) || isId(value)
const isId = (value: unknown): value is Id => typeof value === 'object' && value !== null && 'toHexString' in value
const isSame = (a: unknown, b: unknown): boolean => (isId(a) && isId(b) ? a.equals(b) : a === b)

/** What stands at a path, in every element of the arrays on the way. */
function valuesAt(value: unknown, [field, ...rest]: string[]): unknown[] {
  if (Array.isArray(value)) return value.flatMap((each) => valuesAt(each, field === undefined ? [] : [field, ...rest]))
  if (field === undefined) return value === undefined ? [] : [value]
  return typeof value === 'object' && value !== null ? valuesAt((value as Filter)[field], rest) : []
}

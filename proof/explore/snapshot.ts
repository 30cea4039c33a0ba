import type { Change, Durability, Filter, Id } from '../../protocol/store.js'
import { changed, matches, plain, same, textOf, type Document } from './documents.js'

/** What an executor asks of a store, as data: the calls of protocol/store.ts. */
export type Operation =
  | { kind: 'insert'; collection: CollectionName; document: Document; durability: Durability }
  | {
      kind: 'update'
      collection: CollectionName
      step: string
      id: Id
      guard: Filter
      change: Change
      durability: Durability
    }
  | { kind: 'take'; collection: CollectionName; id: Id; guard: Filter; change: Change }
  | { kind: 'read'; collection: CollectionName; id: Id; durability: Durability | 'linearizable' }
  | { kind: 'find'; collection: CollectionName; filter: Filter; limit: number }

export const COLLECTIONS = [
  'bookings',
  'cars',
  'rooms',
  'users',
  'accounts',
  'charges',
  'stripe',
  'bookingLog',
] as const
export type CollectionName = (typeof COLLECTIONS)[number]

/** Something of each collection, by its name. */
export const byCollection = <T>(make: (name: CollectionName) => T): Record<CollectionName, T> =>
  Object.fromEntries(COLLECTIONS.map((name) => [name, make(name)])) as Record<CollectionName, T>

export interface CollectionRules {
  /** Unique indexes: over these fields, of the documents that match. */
  unique: { fields: string[]; where: Filter }[]
}

export type Rules = Record<CollectionName, CollectionRules>

/** All documents at one moment, by collection and id. Never changed, only replaced. */
export type Snapshot = ReadonlyMap<string, Document>

export const keyOf = (collection: CollectionName, id: Id): string => `${collection}/${id.toHexString()}`

export function documentsOf(snapshot: Snapshot, collection: CollectionName): Document[] {
  return [...snapshot].filter(([key]) => key.startsWith(`${collection}/`)).map(([, document]) => document)
}

/** What a write does when it reaches the primary, and what it is answered. `matched` false: nothing was changed. */
export function write(
  snapshot: Snapshot,
  operation: Extract<Operation, { kind: 'insert' | 'update' | 'take' }>,
  rules: Rules,
): { matched: boolean; after: Snapshot; document: Document | null } {
  const { collection } = operation
  if (operation.kind === 'insert') {
    const document = plain(operation.document)
    const key = keyOf(collection, document._id)
    if (snapshot.has(key) || collides(snapshot, collection, document, rules)) {
      return { matched: false, after: snapshot, document: null }
    }
    return { matched: true, after: new Map(snapshot).set(key, document), document }
  }
  const key = keyOf(collection, operation.id)
  const before = snapshot.get(key)
  if (!before || !matches(operation.guard, before)) return { matched: false, after: snapshot, document: null }
  const document = changed(before, operation.change)
  if (collides(snapshot, collection, document, rules)) throw new Error(`E11000 duplicate key: ${textOf(operation)}`)
  return { matched: true, after: new Map(snapshot).set(key, document), document }
}

function collides(snapshot: Snapshot, collection: CollectionName, document: Document, rules: Rules): boolean {
  return rules[collection].unique.some(
    ({ fields, where }) =>
      matches(where, document) &&
      documentsOf(snapshot, collection).some(
        (other) =>
          !other._id.equals(document._id) &&
          matches(where, other) &&
          fields.every((field) => same(other[field], document[field])),
      ),
  )
}

export const read = (snapshot: Snapshot, collection: CollectionName, id: Id): Document | null =>
  snapshot.get(keyOf(collection, id)) ?? null

/** Those that match, oldest first. */
export function find(snapshot: Snapshot, collection: CollectionName, filter: Filter, limit: number): Document[] {
  return documentsOf(snapshot, collection)
    .filter((document) => matches(filter, document))
    .sort((a, b) => Number(a['createdAt']) - Number(b['createdAt']) || (String(a._id) < String(b._id) ? -1 : 1))
    .slice(0, limit)
}

import { filterOf, type Store } from '../../protocol/store.js'
import { plain, type Document } from './documents.js'
import { find, keyOf, read, write, type CollectionName, type Operation, type Rules, type Snapshot } from './snapshot.js'

/** Documents in memory, as a store and as data: what the explorer's world does one operation at a time. */
export class Memory {
  constructor(
    public snapshot: Snapshot,
    private readonly rules: Rules,
    /** Fields that are read back, by collection. */
    private readonly projections: Partial<Record<CollectionName, string[]>> = {},
  ) {}

  /** Does one operation, now and durably. */
  perform(operation: Operation): unknown {
    switch (operation.kind) {
      case 'read':
        return read(this.snapshot, operation.collection, operation.id)
      case 'find':
        return find(this.snapshot, operation.collection, operation.filter, operation.limit)
      case 'insert':
      case 'update':
      case 'take': {
        const { matched, after, document } = write(this.snapshot, operation, this.rules)
        this.snapshot = after
        if (operation.kind === 'insert') return matched ? 'inserted' : 'duplicate'
        if (operation.kind === 'take') return document
        return matched ? { matched } : { matched, seen: this.readBack(operation) }
      }
    }
  }

  private readBack({ collection, id }: Extract<Operation, { kind: 'update' }>): Document | null {
    const document = read(this.snapshot, collection, id)
    return document && project(document, this.projections[collection])
  }
}

/** A store whose calls are handed on as data. */
export function storeOf<T extends { _id: Document['_id'] }>(
  collection: CollectionName,
  perform: (operation: Operation) => Promise<unknown>,
): Store<T> {
  const ask = <R>(operation: Operation) => perform(operation) as Promise<R>
  return {
    insert: (document, durability) =>
      ask({ kind: 'insert', collection, document: plain(document) as unknown as Document, durability }),
    update: (step, { id, change, ...guards }, durability) =>
      ask({ kind: 'update', collection, step, id, guard: plain(filterOf(guards)), change: plain(change), durability }),
    pull: async (step, { id, field, value }) => {
      const [guard, change] = [plain({ [field]: value }), plain({ $pull: { [field]: value } })]
      await ask({ kind: 'update', collection, step, id, guard, change, durability: 'local' })
    },
    take: ({ id, guard, change }) => ask({ kind: 'take', collection, id, guard: plain(guard), change: plain(change) }),
    read: (id, durability) => ask({ kind: 'read', collection, id, durability }),
    find: (filter, limit) => ask({ kind: 'find', collection, filter: plain(filter), limit }),
  }
}

/** As the participants' stores project what they read back: whole fields, or one field of each element. */
export function project(document: Document, paths: string[] | undefined): Document {
  if (!paths) return document
  return Object.fromEntries(
    ['_id', ...paths].map((path) => {
      const [field, inner] = path.split('.') as [string, string?]
      const value = document[field]
      return [field, inner ? (value as Document[]).map((each) => ({ [inner]: each[inner] })) : value]
    }),
  ) as unknown as Document
}

export const snapshotOf = (documents: Partial<Record<CollectionName, Document[]>>): Snapshot =>
  new Map(
    Object.entries(documents).flatMap(([collection, all]) =>
      all.map((document) => [keyOf(collection as CollectionName, document._id), document] as const),
    ),
  )

import { Schema, type SchemaDefinitionProperty, type Types } from 'mongoose'

/**
 * How the fields of a document are stored. A model lists its fields once, each held against the document's type by the
 * compiler; mongoose's schema is made from them. What must be there is for the collection's validator to refuse, which its
 * migration has written down for good; a test compares each validator with these fields.
 */
export interface Field<T> {
  /** What mongoose casts it to. */
  cast: SchemaDefinitionProperty
  /** What it is in the database. Undefined: anything. */
  bson?: 'objectId' | 'date' | 'string' | 'bool' | 'int' | 'long' | 'array' | 'object'
  /** Of a record its fields, of a list what is in it. */
  fields?: AnyFields
  items?: Field<never>
  nullable?: true
  optional?: true
  /** For the compiler alone: whatever it stores fits this field of the document. */
  accepts?: (value: T) => void
}
/** A field that may be missing. */
export interface MaybeField<T> extends Field<T> {
  optional: true
}
export type AnyFields = Readonly<Record<string, Field<never>>>

type KeyOf<D> = D extends unknown ? keyof D : never
type ValueOf<D, K> = D extends unknown ? (K extends keyof D ? D[K] : undefined) : never
/** The fields of a document, or of all that a union may be: optional where not each of them has it. */
export type Fields<D> = {
  [K in KeyOf<D>]: undefined extends ValueOf<D, K>
    ? MaybeField<Exclude<ValueOf<D, K>, undefined>>
    : Field<ValueOf<D, K>>
}
/** An `_id` is an ObjectId unless it is said otherwise. */
export type DocumentFields<D> = Omit<Fields<D>, '_id'> &
  (D extends { _id: string | number } ? { _id: Field<D['_id']> } : { _id?: never })

const { ObjectId, BigInt, Mixed } = Schema.Types

export const field = {
  id: { cast: { type: ObjectId }, bson: 'objectId' } as Field<Types.ObjectId>,
  date: { cast: { type: Date }, bson: 'date' } as Field<Date>,
  text: { cast: { type: String }, bson: 'string' } as Field<string>,
  flag: { cast: { type: Boolean }, bson: 'bool' } as Field<boolean>,
  /** A whole number. */
  count: { cast: { type: Number }, bson: 'int' } as Field<number>,
  /** Minor units, as a 64-bit integer; in memory a number. */
  money: { cast: { type: BigInt }, bson: 'long' } as Field<number>,
  /** A place in a log: more than 32 bits. */
  seq: { cast: { type: Number }, bson: 'long' } as Field<number>,
  /** Stored as it is. */
  any: { cast: { type: Mixed } } as Field<unknown>,
  object: { cast: { type: Mixed }, bson: 'object' } as Field<object>,
  request: recordOf<{ by: string; hash: string }>({
    by: { cast: { type: String }, bson: 'string' },
    hash: { cast: { type: String }, bson: 'string' },
  }),
}

export function listOf<T>(items: Field<T>): Field<readonly T[]> {
  return { cast: { type: [items.cast], default: undefined }, bson: 'array', items }
}

export function recordOf<R>(fields: Fields<R>): Field<R> {
  return { cast: { type: schemaOf(fields) }, bson: 'object', fields }
}

export const maybe = <T>(of: Field<T>): MaybeField<T> => ({ ...of, optional: true })
export const orNull = <T>(of: Field<T>): Field<T | null> => ({ ...(of as Field<unknown>), nullable: true })

/** Of a record inside a document; `isWhole`: of a document, whose `_id` mongoose knows by itself. */
export function schemaOf<T>(fields: object, { isWhole = false, strict = true } = {}): Schema<T> {
  const casts: Record<string, unknown> = {}
  for (const [name, { cast }] of Object.entries(fields as AnyFields)) casts[name] = cast
  const ownId = !isWhole && !('_id' in fields) && { _id: false }
  const schema: unknown = new Schema(casts as Record<string, SchemaDefinitionProperty>, {
    versionKey: false,
    minimize: false,
    strict,
    ...ownId,
  })
  return schema as Schema<T>
}

import type { Schema } from 'mongoose'
import { schemaOf, type AnyFields, type DocumentFields } from './fields.js'

/** A domain's collection. Only that domain's functions may import it; `ctx.model(Car)` binds it to a connection. */
export interface ModelDefinition<T> {
  domain: string
  collection: string
  fields: AnyFields
  schema: Schema<T>
}

/** `strict: false`: its documents may have further fields, which somebody else lists. */
export const defineModel = <T>(
  domain: string,
  collection: string,
  fields: DocumentFields<T>,
  { strict = true }: { strict?: boolean } = {},
): ModelDefinition<T> => ({
  domain,
  collection,
  fields: fields,
  schema: schemaOf<T>(fields, { strict, isWhole: true }),
})

import type { Schema } from 'mongoose'

/** A domain's collection. Only that domain's functions may import it; `ctx.model(Car)` binds it to a connection. */
export interface ModelDefinition<T> {
  domain: string
  collection: string
  schema: Schema<T>
}

export const defineModel = <T>(domain: string, collection: string, schema: Schema<T>): ModelDefinition<T> => ({
  domain,
  collection,
  schema,
})

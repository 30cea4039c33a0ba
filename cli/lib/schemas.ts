import { z } from 'zod'
import { loadContractModules } from '../../platform/runtime/tree.js'

/** Contracts as JSON schemas. */

export function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Record<string, unknown> {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any', reused: 'inline' })
  void $schema
  return rest
}

/** Names of the types that several operations answer, by their schema: `Booking`, `Car`, ... */
export type Names = Map<string, string>

/** Every object schema that a contract exports, under the name that it has there. */
export async function namedSchemas(): Promise<Names> {
  const names: Names = new Map()
  for (const module of await loadContractModules()) {
    for (const [name, schema] of Object.entries(module)) {
      if (!(schema instanceof z.ZodObject)) continue
      names.set(JSON.stringify(jsonSchema(schema, 'output')), name.charAt(0).toUpperCase() + name.slice(1))
    }
  }
  return names
}

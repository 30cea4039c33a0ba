import { z } from 'zod'

/** What a contract allows at most, by its JSON schema. */

export interface Shape {
  type?: string
  const?: unknown
  enum?: unknown[]
  anyOf?: Shape[]
  maxLength?: number
  maximum?: number
  pattern?: string
  format?: string
  items?: Shape
  maxItems?: number
  properties?: Record<string, Shape>
  additionalProperties?: Shape | boolean
}

export const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value))

export const jsonSchema = (schema: z.ZodType, io: 'input' | 'output'): Shape =>
  z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Shape

/** Bytes of JSON: a character is at most six. */
export function largestOf(shape: Shape): number {
  if ('const' in shape) return bytesOf(shape.const)
  if (shape.enum) return Math.max(...shape.enum.map(bytesOf))
  if (shape.anyOf) return Math.max(...shape.anyOf.map(largestOf))
  if (shape.format === 'date-time') return 2 + lengthOf(shape)
  if (shape.type === 'string') return 2 + 6 * (shape.maxLength ?? lengthOf(shape))
  if (shape.type === 'array') return 2 + (shape.maxItems ?? Infinity) * (1 + largestOf(shape.items ?? {}))
  if (shape.type === 'object') {
    if (shape.additionalProperties) return Infinity
    return Object.entries(shape.properties ?? {}).reduce(
      (sum, [key, each]) => sum + bytesOf(key) + 2 + largestOf(each),
      2,
    )
  }
  return shape.type === undefined ? Infinity : 24
}

/** Of texts without a longest length: those whose form says it. */
function lengthOf({ pattern, format }: Shape): number {
  if (pattern === ID || format === 'date-time') return 24
  return Infinity
}

const ID = '^[0-9a-f]{24}$'
const TIME = '2031-06-01T00:00:00.000Z'
/** Where a list may be as long as it likes. */
const MANY = 1000

/** An input as long as may be, by its shape alone; the ids in it are of nothing, and rules between fields may not hold. */
export function largestValue(shape: Shape): unknown {
  if ('const' in shape) return shape.const
  if (shape.enum) return [...shape.enum].sort((a, b) => bytesOf(b) - bytesOf(a))[0]
  if (shape.anyOf) return largestValue([...shape.anyOf].sort((a, b) => largestOf(b) - largestOf(a))[0] ?? {})
  if (shape.type === 'object') {
    const entries = Object.entries(shape.properties ?? {})
    return Object.fromEntries(entries.map(([key, each]) => [key, largestValue(each)]))
  }
  if (shape.type === 'array')
    return Array.from({ length: shape.maxItems ?? MANY }, () => largestValue(shape.items ?? {}))
  if (shape.type === 'boolean') return true
  if (shape.type === 'integer' || shape.type === 'number') return Math.min(shape.maximum ?? 1, Number.MAX_SAFE_INTEGER)
  return largestText(shape)
}

let ids = 0

function largestText(shape: Shape): string {
  if (shape.pattern === ID) return `f${(ids++).toString(16).padStart(23, '0')}`
  if (shape.pattern?.startsWith('^(lobby|user):')) return `user:f${(ids++).toString(16).padStart(23, '0')}`
  if (shape.format === 'date-time') return TIME
  if (shape.format === 'email') return `${'e'.repeat(60)}@${'e'.repeat(60)}.example.com`
  // A quotation mark is twice as long in JSON, and allowed everywhere.
  return '"'.repeat(shape.maxLength ?? 24)
}

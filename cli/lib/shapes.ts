/** Schemas in words, for the reference pages. */

export interface JsonSchema {
  type?: string | string[]
  enum?: unknown[]
  const?: unknown
  pattern?: string
  format?: string
  /** Of amounts: their unit. */
  description?: string
  minimum?: number
  maximum?: number
  minLength?: number
  maxLength?: number
  default?: unknown
  items?: JsonSchema
  anyOf?: JsonSchema[]
  properties?: Record<string, JsonSchema>
  required?: string[]
  additionalProperties?: boolean | JsonSchema
}

/** The fields of an object, in a table; of a record, what any name has. */
export function rows({
  properties,
  required = [],
  additionalProperties: each,
}: JsonSchema): { name: string; type: string }[] {
  if (!properties) return typeof each === 'object' ? [{ name: '<name>', type: typeOf(each) }] : []
  return Object.entries(properties).map(([name, schema]) => ({
    name: `${name}${required.includes(name) ? '' : '?'}`,
    type: typeOf(schema),
  }))
}

export function fields({ properties = {}, required = [] }: JsonSchema): string {
  const names = Object.entries(properties)
  if (names.length === 0) return '`{}`'
  return names
    .map(([name, schema]) => {
      const optional = !required.includes(name) || schema.default !== undefined
      const fallback = schema.default === undefined ? '' : ` = ${JSON.stringify(schema.default)}`
      return `\`${name}${optional ? '?' : ''}\` ${typeOf(schema)}${fallback}`
    })
    .join(', ')
}

export function typeOf(schema: JsonSchema): string {
  if (schema.enum) return schema.enum.map((each) => JSON.stringify(each)).join(' \\| ')
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(' or ')
  if (schema.type === 'array') return `list of ${typeOf(schema.items ?? {})}`
  if (schema.type === 'object') return schema.properties ? `{${fields(schema)}}` : 'object'
  if (schema.pattern?.includes('[0-9a-f]{24}')) return 'id'
  if (schema.format === 'date-time') return 'time'
  if (schema.format === 'email') return 'e-mail'
  if (schema.type === 'integer') return `integer${range(schema.minimum, schema.maximum)}`
  if (schema.type === 'string')
    return `text${schema.maxLength === undefined ? '' : range(schema.minLength ?? 0, schema.maxLength)}`
  return [schema.type ?? 'any'].flat().join(' or ')
}

function range(from: number | undefined, to: number | undefined): string {
  const max = to === Number.MAX_SAFE_INTEGER ? '2^53 - 1' : to
  if (from === Number.MIN_SAFE_INTEGER || from === undefined) return ''
  return max === undefined ? ` from ${from}` : ` ${from} to ${max}`
}

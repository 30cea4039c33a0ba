import type { z } from 'zod'
import type { Operation } from '../../platform/contract/contract.js'
import { ERRORS } from '../../platform/contract/errors.js'
import { loadContracts, loadNews } from '../../platform/runtime/tree.js'
import { jsonSchema, namedSchemas, type Names } from './schemas.js'

/**
 * The client's types, written out from the contracts: whoever installs the client gets plain TypeScript, without zod and
 * without a line of the server.
 */

interface JsonSchema {
  type?: string | string[]
  enum?: unknown[]
  const?: unknown
  format?: string
  items?: JsonSchema
  anyOf?: JsonSchema[]
  oneOf?: JsonSchema[]
  properties?: Record<string, JsonSchema>
  required?: string[]
  additionalProperties?: boolean | JsonSchema
}

const MADE = '// Made by `npm run docs` from the contracts; edit those.\n\n'

export async function clientTypes(): Promise<string> {
  const operations = [...(await loadContracts()).values()].filter(({ access }) => access !== 'internal')
  const names = await namedSchemas()
  const entities = [...names].map(([schema, name]) => {
    const type = typeOf(JSON.parse(schema) as JsonSchema, new Map(), 'output')
    return `export type ${name} = ${type}\n`
  })
  const news = await loadNews()
  const codes = Object.keys(ERRORS).map((code) => `  | '${code}'`)
  return `${MADE}${entities.join('\n')}
/** What a refusal may be; docs/errors.md says what to check for each. */
export type ErrorCode =
${codes.join('\n')}

/** Every operation that clients may call: what it takes, what it answers, and its own refusals. */
export interface Operations {
${operations.map((operation) => entry(operation, names)).join('\n')}
}

/** What a user is told, by name; docs/events.md says when. */
export interface UserNews {
${news.map(({ name, when, toUser }) => newsEntry(name, when, toUser, names)).join('')}
}

/** What everybody in a lobby is told. */
export interface LobbyNews {
${news.map(({ name, when, toLobby }) => newsEntry(name, when, toLobby, names)).join('')}
}
`
}

function newsEntry(name: string, when: string, schema: z.ZodObject | undefined, names: Names): string {
  if (!schema) return ''
  const type = Object.keys(schema.shape).length > 0 ? typeOf(jsonSchema(schema, 'output'), names, 'output') : 'object'
  return `  /** ${when} */\n  '${name}': ${type}\n`
}

function entry(operation: Operation, names: Names): string {
  const input = jsonSchema(operation.input, 'input')
  const output = jsonSchema(operation.output, 'output')
  const errors = operation.errors.length === 0 ? 'never' : operation.errors.map((code) => `'${code}'`).join(' | ')
  return `  /** ${operation.summary.replaceAll('*/', '* /')} */
  ${operation.name}: { input: ${typeOf(input, new Map(), 'input')}; data: ${typeOf(output, names, 'output')}; errors: ${errors} }
`
}

/** Times go in as texts or as Date, and come out as texts. */
function typeOf(schema: JsonSchema, names: Names, io: 'input' | 'output'): string {
  const inner = (each: JsonSchema): string => typeOf(each, names, io)
  const name = names.get(JSON.stringify(schema))
  if (name) return name
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum) return schema.enum.map((each) => JSON.stringify(each)).join(' | ')
  const union = schema.anyOf ?? schema.oneOf
  if (union) return `(${union.map(inner).join(' | ')})`
  if (schema.type === 'array') return `(${inner(schema.items ?? {})})[]`
  if (schema.type === 'object') return objectOf(schema, inner)
  if (schema.format === 'date-time') return io === 'input' ? 'string | Date' : 'string'
  const types = [schema.type ?? 'unknown'].flat()
  return types.map((type) => (type === 'integer' ? 'number' : type)).join(' | ')
}

function objectOf(schema: JsonSchema, inner: (schema: JsonSchema) => string): string {
  const fields = Object.entries(schema.properties ?? {})
  if (fields.length === 0) {
    const values = schema.additionalProperties
    return typeof values === 'object' ? `Record<string, ${inner(values)}>` : 'Record<string, never>'
  }
  const required = new Set(schema.required)
  return `{ ${fields.map(([key, each]) => `${key}${required.has(key) ? '' : '?'}: ${inner(each)}`).join('; ')} }`
}

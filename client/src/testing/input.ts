/** Checks an input as the server does, by the schemas that are made from its contracts. */

export interface Schema {
  type?: string
  properties?: Record<string, Schema>
  required?: readonly string[]
  additionalProperties?: boolean
  minProperties?: number
  items?: Schema
  enum?: readonly unknown[]
  default?: unknown
  pattern?: string
  format?: string
  minimum?: number
  maximum?: number
  minLength?: number
  maxLength?: number
  description?: string
  /** What JSON schemas can't say of a text. */
  trims?: boolean
  plain?: boolean
  oneLine?: boolean
  visible?: boolean
  timeZone?: boolean
}

export interface Issue {
  path: string
  message: string
}

/** The input as a function gets it: defaults filled in, times in UTC, texts normalized. */
export function readInput(schema: Schema, given: unknown): { value: Record<string, unknown>; issues: Issue[] } {
  const issues: Issue[] = []
  const value = read(schema, given, '', issues) as Record<string, unknown>
  return { value, issues }
}

function read(schema: Schema, given: unknown, path: string, issues: Issue[]): unknown {
  const wrong = (message: string): unknown => {
    issues.push({ path, message })
    return given
  }
  if (schema.enum) return schema.enum.includes(given) ? given : wrong('is none of the values')
  if (schema.type === 'object') {
    return isObject(given) ? readObject(schema, given, path, issues) : wrong('must be an object')
  }
  if (schema.type === 'integer') {
    return Number.isSafeInteger(given) ? readNumber(schema, given as number, wrong) : wrong('must be an integer')
  }
  if (schema.type === 'string')
    return typeof given === 'string' ? readText(schema, given, wrong) : wrong('must be a text')
  return typeof given === 'boolean' ? given : wrong('must be true or false')
}

type Wrong = (message: string) => unknown

const isObject = (given: unknown): given is Record<string, unknown> =>
  typeof given === 'object' && given !== null && !Array.isArray(given)

function readObject(schema: Schema, given: Record<string, unknown>, path: string, issues: Issue[]): unknown {
  const { properties = {}, required = [], minProperties = 0 } = schema
  const value: Record<string, unknown> = {}
  for (const [name, property] of Object.entries(properties)) {
    const at = path ? `${path}.${name}` : name
    const each = given[name] ?? undefined
    if (given[name] === null) issues.push({ path: at, message: 'must not be null' })
    else if (each !== undefined) value[name] = read(property, each, at, issues)
    else if (property.default !== undefined) value[name] = property.default
    else if (required.includes(name)) issues.push({ path: at, message: 'is missing' })
  }
  const unknown = Object.keys(given).filter((name) => !(name in properties) && given[name] !== undefined)
  if (unknown.length > 0) issues.push({ path, message: `has no ${unknown.join(', ')}` })
  if (Object.keys(value).length < minProperties) issues.push({ path, message: 'needs at least one field' })
  return value
}

function readNumber({ minimum = -Infinity, maximum = Infinity }: Schema, given: number, wrong: Wrong): unknown {
  return given < minimum || given > maximum ? wrong(`must be ${minimum} to ${maximum}`) : given
}

/** Direction overrides and isolates turn what follows around. */
const TURNS = '\u202a-\u202e\u2066-\u2069'
const NOT_IN_TEXT = new RegExp(`(?![\\t\\n\\r])\\p{Cc}|[\\p{Cs}${TURNS}]`, 'u')
const NOT_IN_LINE = new RegExp(`[\\p{Cc}\\p{Cs}\\u2028\\u2029${TURNS}]`, 'u')
const VISIBLE = /[^\p{Cc}\p{Cf}\p{Cs}\p{Z}\p{M}\p{Default_Ignorable_Code_Point}\u2800]/u

function readText(schema: Schema, given: string, wrong: Wrong): unknown {
  if (schema.format === 'date-time') return inUtc(given) ?? wrong('must be a time with its offset by RFC 3339')
  const { minLength = 0, maxLength = Infinity, pattern } = schema
  const email = schema.format === 'email'
  const normal = given.normalize('NFC')
  const trimmed = schema.trims || email ? normal.trim() : normal
  const text = email ? trimmed.toLowerCase() : trimmed
  if (text.length < minLength || text.length > maxLength)
    return wrong(`must have ${minLength} to ${maxLength} characters`)
  if (pattern !== undefined && !new RegExp(pattern).test(text)) return wrong('is of another form')
  if (schema.oneLine && NOT_IN_LINE.test(text)) return wrong('must be one line')
  if (schema.plain && NOT_IN_TEXT.test(text)) return wrong('must have no control characters')
  if (schema.visible && !VISIBLE.test(text)) return wrong('must have a visible character')
  if (schema.timeZone && !isTimeZone(text)) return wrong('must be a time zone of the IANA database')
  return text
}

const RFC_3339 = /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/
const YEARS = { first: 1970, last: 2199 }

/** As answers have times; undefined where it is none, or one that the server does not take. */
function inUtc(given: string): string | undefined {
  const [, date = '', clock = '', fraction = '', zone = ''] = RFC_3339.exec(given) ?? []
  const ms = Date.parse(`${date}T${clock}${fraction}${zone.toUpperCase()}`)
  const day = new Date(`${date}T00:00:00Z`)
  // Date.parse takes 30 February for 2 March.
  if (
    Number.isNaN(ms) ||
    Number.isNaN(day.getTime()) ||
    day.getUTCDate() !== Number(date.slice(8)) ||
    clock.startsWith('24')
  )
    return undefined
  const at = new Date(ms)
  return at.getUTCFullYear() < YEARS.first || at.getUTCFullYear() > YEARS.last ? undefined : at.toISOString()
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

/**
 * What mongod makes of an aggregation expression, for those operators that the guards of the protocol use. As in
 * documents.ts anything else is an error, and the test of the store in memory compares it with a mongod.
 */

export class NotModelled extends Error {
  override readonly name = 'NotModelled'
}

type Variables = Readonly<Record<string, unknown>>

/** The value of an expression over a document. */
export function evaluate(expression: unknown, document: unknown, variables: Variables = {}): unknown {
  if (typeof expression === 'string' && expression.startsWith('$$')) return at(variables, expression.slice(2))
  if (typeof expression === 'string' && expression.startsWith('$')) return at(document, expression.slice(1))
  if (Array.isArray(expression)) return expression.map((each) => evaluate(each, document, variables))
  if (typeof expression !== 'object' || expression === null) return expression
  const [[operator, operand], another] = Object.entries(expression) as [[string, unknown], unknown?]
  if (!operator.startsWith('$')) return record(expression, (each) => evaluate(each, document, variables))
  if (another) throw new NotModelled(`expression ${Object.keys(expression).join()}`)
  const value = (of: unknown, more: Variables = {}) => evaluate(of, document, { ...variables, ...more })
  switch (operator) {
    case '$let': {
      const { vars, in: body } = operand as { vars: Record<string, unknown>; in: unknown }
      return value(body, Object.fromEntries(Object.entries(vars).map(([name, each]) => [name, value(each)])))
    }
    case '$filter': {
      const { input, as, cond } = operand as { input: unknown; as: string; cond: unknown }
      return list(value(input)).filter((each) => value(cond, { [as]: each }) === true)
    }
    case '$map': {
      const { input, as, in: body } = operand as { input: unknown; as: string; in: unknown }
      return list(value(input)).map((each) => value(body, { [as]: each }))
    }
    case '$reduce': {
      const { input, initialValue, in: body } = operand as { input: unknown; initialValue: unknown; in: unknown }
      return list(value(input)).reduce((so, each) => value(body, { value: so, this: each }), value(initialValue))
    }
    case '$sortArray': {
      const { input, sortBy } = operand as { input: unknown; sortBy: Record<string, 1> }
      return list(value(input)).toSorted((a, b) => {
        const keys = Object.keys(sortBy).map((key) => order(at(a, key), at(b, key)))
        return keys.find((each) => each !== 0) ?? 0
      })
    }
    case '$max': {
      // Of several operands, or of the elements of one.
      const found = list(value(operand)).filter((each) => each !== null && each !== undefined)
      return found.reduce<unknown>((top, each) => (top === null || order(each, top) > 0 ? each : top), null)
    }
    default:
      return simple(operator, list(value(operand)))
  }
}

/** Those that have their operands evaluated first. */
function simple(operator: string, operands: unknown[]): unknown {
  const [a, b] = operands
  switch (operator) {
    case '$and':
      return operands.every((each) => each === true)
    case '$lt':
      return order(a, b) < 0
    case '$lte':
      return order(a, b) <= 0
    case '$gt':
      return order(a, b) > 0
    case '$gte':
      return order(a, b) >= 0
    case '$ifNull':
      return a ?? b
    case '$concatArrays':
      return operands.flatMap(list)
    case '$add':
      return (operands as number[]).reduce((sum, each) => sum + each, 0)
    default:
      throw new NotModelled(`expression ${operator}`)
  }
}

const record = (of: object, value: (each: unknown) => unknown): object =>
  Object.fromEntries(Object.entries(of).map(([name, each]) => [name, value(each)]))

/** What a path leads to: an array on the way has it from each element. */
function at(value: unknown, path: string): unknown {
  const [key, ...rest] = path.split('.') as [string, ...string[]]
  if (Array.isArray(value)) return value.map((each) => at(each, path))
  const found = (value as Record<string, unknown> | undefined)?.[key]
  return rest.length > 0 ? at(found, rest.join('.')) : found
}

/** Of numbers, and of texts. Other types have an order on the server, but no guard relies on it. */
function order(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0
  throw new NotModelled(`the order of ${String(a)} and ${String(b)}`)
}

function list(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new NotModelled(`${String(value)} as a list`)
  return value
}

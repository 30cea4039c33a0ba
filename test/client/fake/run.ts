import { CallError, newId, type Holdfast } from '../../../client/src/index.js'
import type { Backend } from './backends.js'

/**
 * One call: who makes it, what of, with which input, and the name by which later ones find its answer: `$car.id`. `$new.x` is
 * an id of one's own. A number instead moves the clock on by so many hours.
 */
export type Step = [who: string, operation: string, input: object, as?: string] | number

/** A story with people of its own: `admin`, `anyone`, and whoever else is named. */
export interface Story {
  title: string
  /** Balances, by name. */
  people: Record<string, number>
  steps: Step[]
}

const HOUR_MS = 3_600_000
const SECOND_MS = 1000

/** What each call of a story was answered, so that two servers can be compared. */
export async function tell(backend: Backend, { title, people, steps }: Story): Promise<unknown[]> {
  const answers: Record<string, unknown> = {}
  const clients: Record<string, Holdfast> = { admin: backend.admin, anyone: backend.anonymous }
  for (const [name, amount] of Object.entries(people)) {
    backend.advance(SECOND_MS)
    const email = `${name}@${title.replaceAll(/\W+/g, '-')}.example.com`
    const { id: userId } = await backend.admin.createUser({ name, email })
    if (amount > 0) await backend.admin.depositFunds({ userId, amount })
    answers[name] = { id: userId }
    clients[name] = await backend.as(userId)
  }
  const told: unknown[] = []
  for (const step of steps) {
    if (typeof step === 'number') {
      backend.advance(step * HOUR_MS)
      continue
    }
    backend.advance(SECOND_MS)
    const [who, operation, input, as] = step
    await backend.settle(/Conversation/.test(operation))
    const answer = await outcomeOf(clients[who] as Holdfast, operation, resolve(answers, input) as object)
    if (as !== undefined) answers[as] = (answer as { data?: unknown }).data
    told.push([`${who}: ${operation}`, answer])
  }
  for (const name of Object.keys(people)) clients[name]?.close()
  return comparable(told) as unknown[]
}

async function outcomeOf(client: Holdfast, operation: string, input: object): Promise<unknown> {
  try {
    return { data: await client.call(operation, input) }
  } catch (error) {
    if (!(error instanceof CallError)) throw error
    const { code, details } = error as CallError
    if (code !== 'invalid_input') return { code, ...(details && { details }) }
    const issues = (details?.['issues'] ?? []) as { path: string }[]
    // What is said of a rule may differ, not where it is broken.
    return { code, paths: [...new Set(issues.map(({ path }) => path))].sort() }
  }
}

/** `$name.path` in place of what was answered there. */
function resolve(answers: Record<string, unknown>, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => resolve(answers, each))
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, resolve(answers, each)]))
  }
  if (typeof value !== 'string' || !value.startsWith('$')) return value
  const [name = '', ...path] = value.slice(1).split('.')
  if (name === 'new') {
    const own = (answers['new'] ??= {}) as Record<string, string>
    return (own[path[0] ?? ''] ??= newId())
  }
  let found = answers[name]
  for (const key of path) found = (found as Record<string, unknown> | undefined)?.[key]
  if (found === undefined) throw new Error(`There is no ${value}`)
  return found
}

/** What no two servers have in common, and who is in a lobby, which the real one tells a moment late. */
const OWN: ReadonlySet<string> = new Set([
  ...['seq', 'after', 'token', 'refreshToken', 'nextCursor'],
  ...['members', 'memberCount'],
])

/** Ids are counted in the order in which they come. */
export function comparable(told: unknown): unknown {
  const ids = new Map<string, string>()
  const counted = (id: string): string => {
    if (!ids.has(id)) ids.set(id, `id ${ids.size + 1}`)
    return ids.get(id) as string
  }
  const walk = (value: unknown, key = ''): unknown => {
    if (OWN.has(key)) return value === null ? null : `<${key}>`
    if (typeof value === 'string') return value.replace(/\b[0-9a-f]{24}\b/g, counted)
    if (Array.isArray(value)) return value.map((each) => walk(each))
    if (typeof value !== 'object' || value === null) return value
    const fields = Object.entries(value).filter(([, each]) => each !== undefined)
    return Object.fromEntries(
      fields.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, each]) => [name, walk(each, name)]),
    )
  }
  return walk(told)
}

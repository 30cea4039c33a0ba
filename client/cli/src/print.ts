import { longest, moment, money, table as columnsOf } from '../../apps/show.js'

/** Fields in minor units. */
export const MONEY: ReadonlySet<string> = new Set([
  'balance',
  'cost',
  'price',
  'pricePerHour',
  'pricePerNight',
  'pricePerSeat',
  'amount',
  'change',
  'balanceAfter',
  'refunded',
])

function cell(name: string, value: unknown): string {
  if (value === undefined || value === null) return ''
  if (Array.isArray(value)) return value.map((each) => cell(name, each)).join(', ') || 'none'
  if (typeof value === 'object')
    return Object.entries(value)
      .map(([key, each]) => `${key} ${cell(key, each)}`)
      .join(', ')
  if (typeof value === 'number' && MONEY.has(name)) return money(value)
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (typeof value === 'string') return /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value) ? moment(value) : value
  return `${value as number}`
}

/** Items by the fields that are shown. Times are UTC. */
export const table = (columns: readonly string[], items: readonly object[]): string =>
  columnsOf(
    columns.map((name) => name.replace(/[A-Z]/g, ' $&').toUpperCase()),
    items.map((item) => columns.map((name) => cell(name, (item as Record<string, unknown>)[name]))),
  )

/** A line a field; what is empty is left out. Lists of objects stand below, each as a table. */
export function record(data: object): string {
  const entries = Object.entries(data).filter(([, value]) => value !== undefined && value !== null)
  const isRows = (value: unknown): value is object[] =>
    Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === 'object' && each !== null)
  const width = longest(entries.map(([name]) => name))
  const lines = entries
    .filter(([, value]) => !isRows(value))
    .map(([name, value]) => `${name.padEnd(width)}  ${cell(name, value)}`)
  const tables = entries.flatMap(([name, value]) =>
    isRows(value) ? [`\n${name}:\n${table([...new Set(value.flatMap((each) => Object.keys(each)))], value)}`] : [],
  )
  return [...lines, ...tables].join('\n')
}

const MONEY = new Set([
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

/** Minor units as people write them: 2500 is 25.00. */
export const asMoney = (minor: number): string =>
  `${minor < 0 ? '-' : ''}${Math.trunc(Math.abs(minor) / 100)}.${String(Math.abs(minor) % 100).padStart(2, '0')}`

/** 2031-01-01T01:00:00.000Z is 2031-01-01 01:00. */
const asMoment = (iso: string): string => iso.slice(0, 16).replace('T', ' ')

function cell(name: string, value: unknown): string {
  if (value === undefined || value === null) return ''
  if (Array.isArray(value)) return value.map((each) => cell(name, each)).join(', ') || 'none'
  if (typeof value === 'object')
    return Object.entries(value)
      .map(([key, each]) => `${key} ${cell(key, each)}`)
      .join(', ')
  if (typeof value === 'number' && MONEY.has(name)) return asMoney(value)
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (typeof value === 'string') return /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value) ? asMoment(value) : value
  return `${value as number}`
}

const longest = (texts: readonly string[]): number => texts.reduce((width, { length }) => Math.max(width, length), 0)

/** Rows under their headings, in columns as wide as they need to be. Times are UTC. */
export function table(columns: readonly string[], items: readonly object[]): string {
  const rows = items.map((item) => columns.map((name) => cell(name, (item as Record<string, unknown>)[name])))
  const header = columns.map((name) => name.replace(/[A-Z]/g, ' $&').toUpperCase())
  const widths = header.map((_, i) => longest([header, ...rows].map((row) => row[i] ?? '')))
  return [header, ...rows]
    .map((row) =>
      row
        .map((each, i) => each.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

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

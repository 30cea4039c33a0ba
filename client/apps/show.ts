/** Minor units as people write them: 2500 is 25.00. */
export const money = (minor: number): string =>
  `${minor < 0 ? '-' : ''}${Math.trunc(Math.abs(minor) / 100)}.${String(Math.abs(minor) % 100).padStart(2, '0')}`

/** 2031-01-01T01:00:00.000Z is 2031-01-01 01:00. */
export const moment = (iso: string): string => iso.slice(0, 16).replace('T', ' ')

/** How wide a column of these is. */
export const longest = (texts: readonly string[]): number =>
  texts.reduce((width, { length }) => Math.max(width, length), 0)

/** Rows under their headings, in columns as wide as they need to be. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((_, column) => longest([header, ...rows].map((row) => row[column] ?? '')))
  return [header, ...rows]
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** A refusal in one line, with what of the input is wrong. */
export function refusal({
  code,
  message,
  details,
}: {
  code: string
  message: string
  details?: object | undefined
}): string {
  const { issues = [] } = (details ?? {}) as { issues?: { path: string; message: string }[] }
  const wrong = issues.map((issue) => ` ${[issue.path, issue.message].filter(Boolean).join(': ')}.`).join('')
  return `${code}: ${message}${wrong}`
}

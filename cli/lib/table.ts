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

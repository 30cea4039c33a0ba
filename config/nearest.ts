const MOST_SLIPS = 2

/** The name that is at most two slips of the keyboard away, if there is one. */
export function nearest(name: string, names: readonly string[]): string[] {
  const [near] = names
    .filter((each) => Math.abs(each.length - name.length) <= MOST_SLIPS)
    .map((each) => ({ each, slips: distance(name.toUpperCase(), each.toUpperCase()) }))
    .filter(({ each, slips }) => slips <= (each.length < 10 ? 1 : MOST_SLIPS))
    .sort((a, b) => a.slips - b.slips)
  return near ? [near.each] : []
}

/** Levenshtein's, with two neighbours exchanged as one slip. */
function distance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)]
  const at = (i: number, j: number): number => rows[i]?.[j] ?? 0
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    rows.push(row)
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      row.push(Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + (same ? 0 : 1)))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        row[j] = Math.min(at(i, j), at(i - 2, j - 2) + 1)
    }
  }
  return at(a.length, b.length)
}

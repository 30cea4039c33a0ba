/** Months are those of UTC: how views are cut, not what anybody is shown. */

export interface CalendarPeriod {
  from: Date
  to: Date
}

const SHORTEST_MONTH_MS = 28 * 24 * 3_600_000

/** The months that a half-open period reaches into, `YYYY-MM`, in order. */
export function monthsOf({ from, to }: CalendarPeriod): string[] {
  const months: string[] = []
  const next = new Date(Date.UTC(from.getUTCFullYear(), from.getUTCMonth(), 1))
  const mostMonths = Math.ceil((to.getTime() - from.getTime()) / SHORTEST_MONTH_MS) + 1
  while (next < to && months.length < mostMonths) {
    months.push(next.toISOString().slice(0, 7))
    next.setUTCMonth(next.getUTCMonth() + 1)
  }
  return months
}

export const overlaps = (one: CalendarPeriod, other: CalendarPeriod): boolean =>
  one.from < other.to && other.from < one.to

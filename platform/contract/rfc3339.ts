const RFC_3339 = /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:)(\d{2})(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/
const DAY = /^\d{4}-\d{2}-(\d{2})$/
const DAY_MS = 86_400_000

/**
 * An RFC 3339 time as contracts keep times: in UTC, with milliseconds (what is finer is cut off). Any offset, with a
 * fraction or without one; `t` and `z` may be small, and a blank may stand for the T. Anything else stays as it is, for
 * whoever checks it to refuse.
 */
export function inUtc(given: string): string {
  const [, date = '', minutes = '', seconds = '', fraction = '', zone = ''] = RFC_3339.exec(given) ?? []
  if (!existsDay(date) || minutes.startsWith('24')) return given
  // JavaScript knows no leap second, the last one of a day in UTC: it is the first moment of the next day.
  const leap = seconds === '60'
  const text = `${date}T${minutes}${leap ? '59' : seconds}${leap ? '' : fraction}${zone.toUpperCase()}`
  const ms = Date.parse(text) + (leap ? 1000 : 0)
  if (Number.isNaN(ms) || (leap && ms % DAY_MS !== 0)) return given
  return new Date(ms).toISOString()
}

/** Date.parse takes 30 February for 2 March. */
function existsDay(date: string): boolean {
  const ms = Date.parse(`${date}T00:00:00Z`)
  return !Number.isNaN(ms) && new Date(ms).getUTCDate() === Number(DAY.exec(date)?.[1])
}

import { z } from 'zod'
import { id } from '../../platform/contract/types.js'
import { decodeCursor, encodeCursor, pageRoom } from '../../platform/runtime/pages.js'
import type { Context } from '../../platform/runtime/function.js'
import { Calendar, type CalendarItem, type CalendarSide } from './calendar.model.js'
import { monthsOf, overlaps, type CalendarPeriod } from './period.rules.js'
import { calendarProjection } from './calendar.projection.js'
import { idOf } from '../../platform/logs/projection.js'

/** Of a page: what an export writes into one text. */
const MAX_ITEMS = 1000

/** The start and the id of the last item of the page before. */
const position = z.tuple([z.int(), id])

export interface Listing extends CalendarPeriod {
  as: CalendarSide
  after?: number | undefined
  cursor?: string | undefined
}

/**
 * A page of what a user's calendar lists in a period and `isListed` lets through, by start. Reads month by month until the page is full: a
 * few documents, however long the log is.
 */
export async function listedIn(
  ctx: Context,
  userId: string,
  { as, after, cursor, ...period }: Listing,
  isListed: (item: CalendarItem) => boolean = () => true,
): Promise<{ items: CalendarItem[]; nextCursor: string | null }> {
  const generation = await ctx.use(calendarProjection).generationFor(ctx, after)
  const [fromMs, beforeId] = cursor === undefined ? [-Infinity, ''] : decodeCursor(cursor, position)
  const isNext = (item: CalendarItem): boolean =>
    item.from.getTime() > fromMs || (item.from.getTime() === fromMs && item.invitationId.toHexString() > beforeId)
  const start = new Date(Math.max(fromMs, period.from.getTime()))

  const items = new Map<string, CalendarItem>()
  const fits = pageRoom(MAX_ITEMS)
  for (const month of monthsOf({ from: start, to: period.to })) {
    const view = await ctx
      .model(Calendar)
      .findById(idOf(generation, `${userId}:${as}:${month}`), { items: 1 })
      .lean()
    // What reaches into several months stands in each; what stands in a later one alone begins later than all before.
    const found = (view?.items ?? [])
      .filter((item) => overlaps(item, period) && isNext(item) && isListed(item))
      .filter(({ invitationId }) => !items.has(invitationId.toHexString()))
      .sort(byStart)
    for (const item of found) {
      if (!fits(item)) return { items: [...items.values()], nextCursor: cursorAfter([...items.values()].at(-1)) }
      items.set(item.invitationId.toHexString(), item)
    }
  }
  return { items: [...items.values()], nextCursor: null }
}

const byStart = (a: CalendarItem, b: CalendarItem): number =>
  a.from.getTime() - b.from.getTime() || (a.invitationId.toHexString() < b.invitationId.toHexString() ? -1 : 1)

const cursorAfter = (item: CalendarItem | undefined): string | null =>
  item ? encodeCursor([item.from.getTime(), item.invitationId.toHexString()]) : null

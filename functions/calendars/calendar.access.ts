import type { Context } from '../../platform/runtime/function.js'
import { Calendar, type CalendarItem, type CalendarSide } from './calendar.model.js'
import { monthsOf, overlaps, type CalendarPeriod } from './period.rules.js'
import { calendarProjection } from './calendar.projection.js'
import { idOf } from '../../platform/logs/projection.js'

/** What a user's calendar lists in a period, by start: a fixed number of documents, however long the log is. */
export async function listedIn(
  ctx: Context,
  userId: string,
  { as, after, ...period }: CalendarPeriod & { as: CalendarSide; after?: number | undefined },
): Promise<CalendarItem[]> {
  const generation = await ctx.use(calendarProjection).generationFor(ctx, after)
  const ids = monthsOf(period).map((month) => idOf(generation, `${userId}:${as}:${month}`))
  const months = await ctx
    .model(Calendar)
    .find({ _id: { $in: ids } }, { items: 1 })
    .sort({ month: 1 })
    .lean()
  // What reaches into several months stands in each.
  const items = new Map(months.flatMap((month) => month.items.map((item) => [item.invitationId.toHexString(), item])))
  return [...items.values()]
    .filter((item) => overlaps(item, period))
    .sort((a, b) => a.from.getTime() - b.from.getTime())
}

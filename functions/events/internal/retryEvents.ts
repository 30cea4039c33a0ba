import { define, type Context } from '../../../platform/runtime/function.js'
import { outboxes } from '../../../platform/events/outbox.js'
import { countDead, dueAlerts, postponeAlert, retryDue } from '../../../platform/events/outboxAdmin.js'
import { deadAlert } from '../event.news.js'
import { events } from '../contract.js'

/** So often people are told again of a dead letter that they could not be told of. */
const ALERT_AGAIN_MS = 60_000

export default define(events.retryEvents, async (ctx) => {
  const report = { retried: 0, alerted: 0, dead: 0 }
  await Promise.all(
    (await ctx.use(outboxes)).map(async (outbox) => {
      report.retried += await retryDue(outbox, ctx.now())
      report.alerted += await alertDue(ctx, outbox)
      report.dead += (await countDead(outbox)).count
    }),
  )
  return report
})

/** At least once: the mark goes after the word was passed on. */
async function alertDue(ctx: Context, outbox: Parameters<typeof dueAlerts>[0]): Promise<number> {
  const due = await dueAlerts(outbox, ctx.now())
  // All at once: one that hangs must hold up neither the others nor the next run.
  await Promise.all(
    due.map(async (event) => {
      const told = await deadAlert(ctx, event).then(
        () => true,
        (error: unknown) => {
          ctx.log.warn({ err: error, eventId: event._id }, 'nobody was told of a dead letter')
          return false
        },
      )
      await postponeAlert(outbox, event._id, told ? null : new Date(ctx.now().getTime() + ALERT_AGAIN_MS))
    }),
  )
  return due.length
}

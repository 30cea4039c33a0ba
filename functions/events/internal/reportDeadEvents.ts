import { outboxes } from '../../../platform/events/outbox.js'
import { countDead } from '../../../platform/events/outboxAdmin.js'
import { inWords } from '../../../platform/lib/duration.js'
import { define } from '../../../platform/runtime/function.js'
import { events } from '../contract.js'

/** Those whose database does not answer are left out: that is told elsewhere. */
export default define(events.reportDeadEvents, async (ctx) => {
  const found = await Promise.allSettled((await ctx.use(outboxes)).map(countDead))
  const dead = found.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
  const count = dead.reduce((sum, each) => sum + each.count, 0)
  const oldest = dead.reduce((least, { oldestAt }) => Math.min(least, oldestAt?.getTime() ?? Infinity), Infinity)
  const detail = count === 0 ? 'none' : `${count}, the oldest for ${inWords(ctx.now().getTime() - oldest)}`
  return { checks: [{ name: 'dead letters', ok: count === 0, detail }] }
})

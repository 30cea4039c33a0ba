import { define } from '../../platform/runtime/function.js'
import { outboxes } from '../../platform/events/outbox.js'
import { listDead } from '../../platform/events/outboxAdmin.js'
import { presentDeadEvent } from './event.presenter.js'
import { events } from './contract.js'

export default define(events.listDeadEvents, async (ctx, page) => {
  const { documents, nextCursor } = await listDead(await ctx.use(outboxes), page)
  return { items: documents.map(presentDeadEvent), nextCursor }
})

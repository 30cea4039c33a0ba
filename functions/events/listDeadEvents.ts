import { define } from '../../platform/function.js'
import { outboxes } from '../../platform/outbox.js'
import { listDead } from '../../platform/outboxAdmin.js'
import { presentDeadEvent } from './event.presenter.js'
import { events } from './contract.js'

export default define(events.listDeadEvents, async (ctx, page) => {
  const { documents, nextCursor } = await listDead(await ctx.use(outboxes), page)
  return { items: documents.map(presentDeadEvent), nextCursor }
})

import { Refusal } from '../../platform/contract/errors.js'
import { define } from '../../platform/runtime/function.js'
import { outboxes } from '../../platform/events/outbox.js'
import { findEvent, redrive } from '../../platform/events/outboxAdmin.js'
import { events } from './contract.js'

export default define(events.redriveEvent, async (ctx, { eventId }) => {
  const all = await ctx.use(outboxes)
  const found = await findEvent(all, eventId)
  if (!found) throw new Refusal('event_not_found', `There is no event ${eventId}.`)
  if (!(await redrive(found.outbox, found.event._id)))
    throw new Refusal('event_not_dead', 'Only dead letters are driven again; this one is retried by itself.')
  ctx.log.info(
    { eventId, by: ctx.caller?.userId, failures: found.event.failures.length },
    'a dead letter is sent again',
  )
  return { eventId }
})

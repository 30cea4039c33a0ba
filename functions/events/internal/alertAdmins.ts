import { define } from '../../../platform/runtime/function.js'
import { events } from '../contract.js'
import { tellAdmins } from '../event.news.js'

export default define(events.alertAdmins, async (ctx, { eventId, payload: { alert }, createdAt }) => {
  const { name, ...data } = alert
  ctx.log.error(data, name)
  await tellAdmins(ctx, { key: eventId, name, data, at: createdAt })
  return {}
})

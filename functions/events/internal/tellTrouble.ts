import { define } from '../../../platform/runtime/function.js'
import { events } from '../contract.js'
import { tellAdmins } from '../event.news.js'

export default define(events.tellTrouble, async (ctx, { key, ...trouble }) => {
  const name = 'system:trouble'
  ctx.log.error(trouble, name)
  await tellAdmins(ctx, { key: `${name} ${key}`, name, data: trouble, at: ctx.now().toISOString() })
  return {}
})

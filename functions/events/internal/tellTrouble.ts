import { Refusal } from '../../../platform/contract/errors.js'
import { define } from '../../../platform/runtime/function.js'
import { events } from '../contract.js'
import { tellAdmins } from '../event.news.js'

export default define(events.tellTrouble, async (ctx, { key, ...trouble }) => {
  ctx.log.error(trouble, 'system:trouble')
  try {
    const name = 'system:trouble'
    await tellAdmins(ctx, { key: `${name} ${key}`, name, data: trouble, at: ctx.now().toISOString() })
  } catch (error) {
    throw new Refusal('unavailable', 'Not everybody could be told.', undefined, { cause: error })
  }
  return {}
})

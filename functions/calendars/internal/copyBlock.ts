import { define } from '../../../platform/runtime/function.js'
import { calendars } from '../contract.js'
import { copyBlock } from '../pair.changes.js'

export default define(calendars.copyBlock, async (ctx, block) => {
  await copyBlock(ctx, block)
  return {}
})

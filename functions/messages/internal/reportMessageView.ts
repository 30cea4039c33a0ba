import { viewCheck } from '../../../platform/logs/lag.js'
import { define } from '../../../platform/runtime/function.js'
import { messages } from '../contract.js'
import { messageBoxProjection } from '../messageBox.projection.js'

export default define(messages.reportMessageView, async (ctx) => ({
  checks: [await viewCheck(ctx, ctx.use(messageBoxProjection))],
}))

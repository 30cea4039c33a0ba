import { newsCheck, viewCheck } from '../../../platform/logs/lag.js'
import { feedProgress } from '../../../platform/logs/projection.js'
import { define } from '../../../platform/runtime/function.js'
import { messages } from '../contract.js'
import { messageBoxProjection } from '../messageBox.projection.js'
import { MessageLog, messageLog } from '../messageLog.model.js'

const { collection } = MessageLog

export default define(messages.reportMessageView, async (ctx) => ({
  checks: [
    await viewCheck(ctx, ctx.use(messageBoxProjection)),
    await newsCheck(ctx, { name: collection, log: ctx.use(messageLog), progress: feedProgress(ctx, MessageLog) }),
  ],
}))

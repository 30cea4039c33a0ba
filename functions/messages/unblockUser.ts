import { define } from '../../platform/runtime/function.js'
import { messages } from './contract.js'
import { setBlocked } from './block.changes.js'

export default define(messages.unblockUser, (ctx, { userId }) => setBlocked(ctx, userId, false))

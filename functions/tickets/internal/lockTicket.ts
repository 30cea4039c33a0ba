import { define } from '../../../platform/runtime/function.js'
import { tickets } from '../contract.js'
import { followHold } from '../ticket.changes.js'

export default define(tickets.lockTicket, async (ctx, { payload }) => {
  await followHold(ctx, payload)
  return {}
})

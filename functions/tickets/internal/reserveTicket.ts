import { define } from '../../../platform/runtime/function.js'
import { tickets } from '../contract.js'
import { followHold } from '../ticket.changes.js'

export default define(tickets.reserveTicket, async (ctx, hold) => {
  await followHold(ctx, hold)
  return {}
})

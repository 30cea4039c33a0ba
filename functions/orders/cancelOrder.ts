import { Refusal } from '../../platform/contract/errors.js'
import { withEvents } from '../../platform/events/events.js'
import { define } from '../../platform/runtime/function.js'
import { emits, orders } from './contract.js'
import { visibleOrder } from './order.access.js'
import { moveOrder } from './order.changes.js'
import { presentOrder } from './order.presenter.js'

export default define(orders.cancelOrder, async (ctx, { orderId }) => {
  const found = await visibleOrder(ctx, orderId)
  const reason = ctx.caller?.role === 'user' ? 'cancelled_by_user' : 'cancelled_by_admin'
  const moved = await withEvents(ctx, emits, (tx) =>
    // Not a complete one, though a refund may take it from there.
    moveOrder(ctx, tx, { id: found._id, guard: { state: { $ne: 'complete' } }, to: 'cancelled', set: { reason } }),
  )
  if (moved) return presentOrder(moved)
  const now = await visibleOrder(ctx, orderId)
  if (now.state === 'complete')
    throw new Refusal('order_complete', 'The order is paid: an admin can refund its charge.')
  return presentOrder(now)
})

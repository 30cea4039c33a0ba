import { define } from '../../platform/runtime/function.js'
import { orders } from './contract.js'
import { visibleOrder } from './order.access.js'
import { presentOrder } from './order.presenter.js'

export default define(orders.getOrder, async (ctx, { orderId }) => presentOrder(await visibleOrder(ctx, orderId)))

import { define } from '../../../platform/runtime/function.js'
import { orders } from '../contract.js'
import { visibleOrder } from '../order.access.js'
import { presentOrderNews } from '../order.presenter.js'

export default define(orders.copyOrder, async (ctx, { orderId }) => presentOrderNews(await visibleOrder(ctx, orderId)))

import { define } from '../../platform/runtime/function.js'
import { visibleCharge } from './charge.changes.js'
import { presentCharge, viewerOf } from './charge.presenter.js'
import { payments } from './contract.js'

export default define(payments.getCharge, async (ctx, { chargeId }) =>
  presentCharge(await visibleCharge(ctx, chargeId), viewerOf(ctx)),
)

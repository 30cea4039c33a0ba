import { define } from '../../platform/runtime/function.js'
import { presentCharge, visibleCharge } from './charge.changes.js'
import { payments } from './contract.js'

export default define(payments.getCharge, async (ctx, { chargeId }) =>
  presentCharge(await visibleCharge(ctx, chargeId)),
)

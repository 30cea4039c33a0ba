import { define } from '../../../platform/runtime/function.js'
import { expirations } from '../contract.js'
import { Expiration, isParked } from '../expiration.model.js'

export default define(expirations.findParkedTimers, async (ctx) => {
  const parked = await ctx.model(Expiration).find(isParked, { _id: 1 }).lean()
  return { parked: parked.map(({ _id }) => _id.toHexString()) }
})

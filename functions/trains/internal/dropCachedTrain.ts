import { define } from '../../../platform/runtime/function.js'
import { trains } from '../contract.js'
import { trainCache } from '../train.access.js'

export default define(trains.dropCachedTrain, async (ctx, { payload }) => {
  if (payload.trainId) await ctx.use(trainCache).drop([payload.trainId])
  return {}
})

import { Refusal } from '../../platform/contract/errors.js'
import { define } from '../../platform/runtime/function.js'
import { trains } from './contract.js'
import { trainCache } from './train.access.js'
import { Train } from './train.model.js'

export default define(trains.deleteTrain, async (ctx, { trainId }) => {
  const found = ctx.model(Train)
  // No booking reaches a deleted train: what is applied later is refused by the same document.
  const { matchedCount } = await found.updateOne(
    { _id: trainId, bookings: { $size: 0 } },
    { $set: { deleted: true, updatedAt: ctx.now() } },
  )
  if (matchedCount === 0) {
    const current = await found.findById(trainId, { deleted: 1 }).lean()
    if (!current) throw new Refusal('train_not_found', `There is no train ${trainId}.`)
    throw new Refusal('train_has_bookings', 'Seats of the train are booked.')
  }
  await ctx.use(trainCache).drop([trainId])
  return { trainId }
})

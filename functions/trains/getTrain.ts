import { Refusal } from '../../platform/contract/errors.js'
import { define } from '../../platform/runtime/function.js'
import { trains } from './contract.js'
import { trainCache } from './train.access.js'
import { Train } from './train.model.js'
import { presentTrain, SHOWN_FIELDS } from './train.presenter.js'

export default define(trains.getTrain, async (ctx, { trainId }) => {
  const train = await ctx.use(trainCache).read(trainId, async () => {
    const found = await ctx
      .model(Train)
      .findById(trainId, { ...SHOWN_FIELDS, deleted: 1 })
      .lean()
    return found && (!found.deleted || found.calledOff) ? presentTrain(found) : null
  })
  if (!train) throw new Refusal('train_not_found', `There is no train ${trainId}.`)
  return train
})

import mongoose from 'mongoose'
import { Refusal } from '../../platform/contract/errors.js'
import { withEvents } from '../../platform/events/events.js'
import { define, type Context } from '../../platform/runtime/function.js'
import { bookings } from '../bookings/contract.js'
import { emits, trains } from './contract.js'
import { trainCache } from './train.access.js'
import { Train, type TrainDocument } from './train.model.js'
import { presentTrain } from './train.presenter.js'

/**
 * From the first write on the train takes no booking any more, and the list of those that have seats is fixed, in the
 * train itself: whoever holds none then never gets one.
 *
 * | crash right before                       | right after                  | who drives it on                                            |
 * | ---------------------------------------- | ---------------------------- | ----------------------------------------------------------- |
 * | the call-off with its event: nothing     | called off, nobody refunded  | the event's subscriber refunds, again and again until all are |
 * | a refund: the booking stands             | its reversal, under way      | the same, or recovery: a reversal is decided by its insert  |
 * | the answer: all refunded                 | -                            | the same call again answers the same list                   |
 */
export default define(trains.callOffTrain, async (ctx, { trainId, reason }) => {
  const train = await withEvents(ctx, emits, async (tx) => {
    const called = await ctx
      .model(Train)
      .findOneAndUpdate(
        { _id: trainId, deleted: false },
        [
          {
            $set: {
              deleted: true,
              calledOff: { at: ctx.now(), reason: { $literal: reason }, bookingIds: '$bookings._id' },
              version: { $add: ['$version', 1] },
              updatedAt: ctx.now(),
            },
          },
        ],
        { session: tx.session, returnDocument: 'after', updatePipeline: true },
      )
      .lean()
    if (called) {
      const bookingIds = called.calledOff?.bookingIds.map((each) => each.toHexString()) ?? []
      tx.emit({
        type: 'train:called_off',
        aggregate: { type: 'train', id: called._id },
        version: called.version,
        payload: { train: presentTrain(called), bookingIds },
      })
    }
    return called
  })
  await ctx.use(trainCache).drop([trainId])
  return resultOf(ctx, train ?? (await calledOffBefore(ctx, trainId)))
})

async function calledOffBefore(ctx: Context, trainId: string): Promise<TrainDocument> {
  const found = await ctx.model(Train).findById(trainId).lean()
  if (!found?.calledOff) throw new Refusal('train_not_found', `There is no train ${trainId}.`)
  return found
}

/** Refunds whoever is not refunded yet, and says how each stands. */
async function resultOf(ctx: Context, { _id, calledOff }: TrainDocument) {
  const { at, reason, bookingIds } = calledOff as NonNullable<TrainDocument['calledOff']>
  const ids = bookingIds.map((each: mongoose.Types.ObjectId) => each.toHexString())
  const { items } = ids.length > 0 ? await ctx.call(bookings.takeBackBookings, { bookingIds: ids }) : { items: [] }
  return { trainId: _id.toHexString(), calledOff: { at: at.toISOString(), reason }, bookings: items }
}

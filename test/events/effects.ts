import mongoose from 'mongoose'
import { applyCopy } from '../../platform/events/copies.js'
import type { DomainEvent } from '../../platform/events/events.js'
import type { Context } from '../../platform/runtime/function.js'
import { field } from '../../platform/database/fields.js'
import { defineModel } from '../../platform/database/model.js'
import type { System } from '../../platform/runtime/system.js'

interface CountedCopy {
  version: number
  /** How many events had an effect on it. */
  effects: number
}

const CountedCopy = defineModel<CountedCopy>('bookings', 'countedCopies', {
  version: field.count,
  effects: field.count,
})

/** A subscriber whose effect is not idempotent by itself: the copy's version makes it so, in one transaction with it. */
export async function copyThings(event: DomainEvent, ctx: Pick<Context, 'model'>): Promise<void> {
  const model = ctx.model(CountedCopy)
  await model.db.transaction(async (session) => {
    const applied = await applyCopy(model, event, {}, { creates: event.version === 1, session })
    if (applied === 'applied') await model.updateOne({ _id: event.aggregate.id }, { $inc: { effects: 1 } }, { session })
  })
}

export const effectsOf = (system: Pick<System, 'model'>, thingId: string) =>
  system.model(CountedCopy).findById(new mongoose.Types.ObjectId(thingId), { _id: 0 }).lean()

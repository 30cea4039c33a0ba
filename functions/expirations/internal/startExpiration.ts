import mongoose from 'mongoose'
import { unlessTaken } from '../../../platform/database/bulkErrors.js'
import { define } from '../../../platform/runtime/function.js'
import { EXPIRE_ORDER, expirations } from '../contract.js'
import { Expiration } from '../expiration.model.js'

export default define(expirations.startExpiration, async (ctx, { payload }) => {
  // It may run already. One that has rung, and is started again by an event that comes again, rings in vain.
  const dueAt = new Date(payload.expiresAt)
  await unlessTaken(
    ctx.model(Expiration).create({
      _id: new mongoose.Types.ObjectId(payload.id),
      name: EXPIRE_ORDER,
      type: 'normal',
      priority: 0,
      nextRunAt: dueAt,
      lockedAt: null,
      dueAt,
    }),
  )
  return {}
})

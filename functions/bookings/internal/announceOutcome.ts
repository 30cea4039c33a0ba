import { define } from '../../../platform/runtime/function.js'
import { kindOf } from '../booking.kinds.js'
import { bookings } from '../contract.js'

export default define(bookings.announceOutcome, async (ctx, { type, payload, createdAt }) => {
  await kindOf(payload).announce?.(ctx, { type, payload, createdAt })
  return {}
})

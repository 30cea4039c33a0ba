import { Refusal } from '../../platform/contract/errors.js'
import { define } from '../../platform/runtime/function.js'
import { versionConflict } from '../../platform/runtime/updateVersion.js'
import { visibleBooking } from './booking.access.js'
import { kindOf } from './booking.kinds.js'
import { Booking } from './booking.model.js'
import { presentBooking } from './booking.presenter.js'
import { bookings } from './contract.js'

export default define(bookings.updateBooking, async (ctx, { bookingId, version, set }) => {
  const found = await visibleBooking(ctx, bookingId)
  const { change } = kindOf(found)
  if (!change || found.reverses || found.state !== 'COMMITTED') {
    throw new Refusal('booking_not_updatable', 'It is no booking that stands and leaves something open.')
  }
  const stored = ctx.model(Booking)
  if (await stored.exists({ reverses: found._id })) {
    throw new Refusal('booking_not_updatable', 'The booking was taken back.')
  }
  const current = found.version ?? 0
  if (current !== version) throw versionConflict('booking', current)
  const changed = change(found, set)

  // A final booking never moves again, so this write meets no executor; only another update.
  const updated = await stored
    .findOneAndUpdate(
      { _id: found._id, state: 'COMMITTED', version: version === 0 ? { $in: [0, null] } : version },
      { $set: { ...changed, version: version + 1 } },
      { returnDocument: 'after' },
    )
    .lean()
  if (updated) return presentBooking(updated, ctx.now())
  const now = await stored.findById(found._id, { version: 1 }).lean()
  throw versionConflict('booking', now?.version ?? 0)
})

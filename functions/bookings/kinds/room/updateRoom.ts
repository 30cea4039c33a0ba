import { long } from '../../../../platform/database/long.js'
import { Refusal } from '../../../../platform/contract/errors.js'
import { define } from '../../../../platform/runtime/function.js'
import { bookings } from '../../contract.js'
import { Room } from './room.model.js'
import { presentRoom } from './room.presenter.js'
import { mostTaken, mostTakenExpression } from './room.rules.js'

export default define(bookings.updateRoom, async (ctx, { roomId, version, set }) => {
  const { pricePerNight, ...rest } = set
  const rooms = ctx.model(Room)
  const room = await rooms
    .findOneAndUpdate(
      // Fewer units than are booked on a night would oversell it: counted in the write, as bookings count.
      { _id: roomId, version, ...(set.units && { $expr: { $lte: [mostTakenExpression(), set.units] } }) },
      {
        $set: {
          ...rest,
          ...(pricePerNight !== undefined && { pricePerNight: long(pricePerNight) }),
          updatedAt: ctx.now(),
        },
        $inc: { version: 1 },
      },
      { returnDocument: 'after' },
    )
    .lean()
  if (room) return presentRoom(room)
  const current = await rooms.findById(roomId, { version: 1, bookings: 1 }).lean()
  if (!current) throw new Refusal('room_not_found', `There is no room ${roomId}.`)
  if (current.version === version) {
    throw new Refusal('room_unavailable', 'More units than that are booked on a night.', {
      booked: mostTaken(current.bookings),
    })
  }
  throw new Refusal('version_conflict', `The room is at version ${current.version} by now.`, {
    version: current.version,
  })
})

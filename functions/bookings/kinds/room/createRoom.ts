import { define } from '../../../../platform/runtime/function.js'
import { insertOnce } from '../../../../platform/runtime/insertOnce.js'
import { bookings } from '../../contract.js'
import { newThing } from '../../thing.kinds.js'
import { Room, type RoomDocument } from './room.model.js'
import { presentRoom } from './room.presenter.js'

export default define(bookings.createRoom, async (ctx, input) => {
  const { roomId, name, pricePerNight, units, timeZone } = input
  const room: RoomDocument = { ...newThing(ctx, roomId, input), name, pricePerNight, units, timeZone }
  return insertOnce(ctx.model(Room), 'room', room, presentRoom)
})

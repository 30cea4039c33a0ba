import { isTimeZone } from '../../../../platform/lib/zone.rules.js'
import { define } from '../../../../platform/runtime/function.js'
import { insertOnce } from '../../../../platform/runtime/insertOnce.js'
import { invalidInput } from '../../../../platform/runtime/invocation.js'
import { bookings } from '../../contract.js'
import { newThing } from '../../thing.kinds.js'
import { Room, type RoomDocument } from './room.model.js'
import { presentRoom } from './room.presenter.js'

export default define(bookings.createRoom, async (ctx, input) => {
  const { roomId, name, pricePerNight, units, timeZone } = input
  if (!isTimeZone(timeZone)) {
    throw invalidInput({ issues: [{ path: ['timeZone'], message: 'must be a zone of the IANA database' }] })
  }
  const room: RoomDocument = { ...newThing(ctx, roomId, input), name, pricePerNight, units, timeZone }
  return insertOnce(ctx.model(Room), 'room', room, presentRoom)
})

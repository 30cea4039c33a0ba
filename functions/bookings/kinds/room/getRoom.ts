import { Refusal } from '../../../../platform/contract/errors.js'
import { define } from '../../../../platform/runtime/function.js'
import { bookings } from '../../contract.js'
import { Room } from './room.model.js'
import { presentRoom } from './room.presenter.js'
import { mostTaken, nightsBetween } from './room.rules.js'

export default define(bookings.getRoom, async (ctx, { roomId, from, to }) => {
  const room = await ctx.model(Room).findById(roomId, { tombstones: 0, pendingBookings: 0 }).lean()
  if (!room) throw new Refusal('room_not_found', `There is no room ${roomId}.`)
  if (!from || !to) return presentRoom(room)
  const nights = nightsBetween(new Date(from), new Date(to), room.timeZone)
  return { ...presentRoom(room), free: nights ? Math.max(0, room.units - mostTaken(room.bookings, nights)) : 0 }
})

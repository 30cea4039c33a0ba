import { define } from '../../../../platform/runtime/function.js'
import { pageOf } from '../../../../platform/runtime/pages.js'
import { bookings } from '../../contract.js'
import { Room, type RoomDocument } from './room.model.js'
import { presentRoom } from './room.presenter.js'
import { mostTaken, nightsBetween } from './room.rules.js'

export default define(bookings.listRooms, async (ctx, { from, to, limit, cursor }) => {
  const { documents, nextCursor } = await pageOf(
    ctx.model(Room),
    { ...(ctx.caller?.role === 'user' && { retired: false }) },
    { limit, cursor },
    'oldestFirst',
    { projection: { tombstones: 0, pendingBookings: 0, ...(!from && { bookings: 0 }) } },
  )
  // Which nights a period has is the room's own matter, by its time zone.
  const isFree = (room: RoomDocument): boolean => {
    const nights = from && to && nightsBetween(new Date(from), new Date(to), room.timeZone)
    return !from || (!!nights && mostTaken(room.bookings, nights) < room.units)
  }
  return { items: documents.filter(isFree).map(presentRoom), nextCursor }
})

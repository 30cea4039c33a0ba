import type { z } from 'zod'
import { presentThing } from '../../thing.kinds.js'
import type { room } from './contract.js'
import type { RoomDocument } from './room.model.js'

/** A room as clients see it: without who booked it. */
export const presentRoom = (r: RoomDocument): z.output<typeof room> => ({
  ...presentThing(r),
  name: r.name,
  pricePerNight: r.pricePerNight,
  units: r.units,
  timeZone: r.timeZone,
})

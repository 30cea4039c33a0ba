import type { z } from 'zod'
import type { room } from './contract.js'
import type { RoomDocument } from './room.model.js'

/** A room as clients see it: without who booked it. */
export const presentRoom = (r: RoomDocument): z.output<typeof room> => ({
  id: r._id.toHexString(),
  name: r.name,
  pricePerNight: r.pricePerNight,
  units: r.units,
  timeZone: r.timeZone,
  retired: r.retired,
  version: r.version,
  createdAt: r.createdAt.toISOString(),
  updatedAt: r.updatedAt.toISOString(),
})

import type { z } from 'zod'
import { kindOf } from './booking.kinds.js'
import type { BookingDocument } from './booking.model.js'
import type { booking } from './contract.js'
import { standingOf } from './standing.rules.js'

/** A booking as clients see it at this moment. */
export const presentBooking = (b: BookingDocument, now: Date): z.output<typeof booking> => ({
  id: b._id.toHexString(),
  userId: b.userId.toHexString(),
  ...kindOf(b).present(b),
  from: b.from.toISOString(),
  to: b.to.toISOString(),
  cost: b.cost,
  state: b.state,
  ...(b.reason !== undefined && { reason: b.reason }),
  ...(b.reverses && { reverses: b.reverses.toHexString() }),
  ...(b.reversedBy && { reversedBy: b.reversedBy.toHexString() }),
  standing: standingOf(b, now),
  ...(b.parked && { parked: true }),
  createdAt: b.createdAt.toISOString(),
  lastModified: b.lastModified.toISOString(),
})

import { Booking } from '../../functions/bookings/booking.model.js'
import type { System } from '../../platform/runtime/system.js'

/** Waits until majority reads see all that was written to the bookings so far: COMMITTED is told a moment earlier. */
export async function untilMajority(system: Pick<System, 'model'>): Promise<void> {
  const admin = system.model(Booking).db.getClient().db('admin')
  await admin.command({ appendOplogNote: 1, data: { test: 'all before this' }, writeConcern: { w: 'majority' } })
}

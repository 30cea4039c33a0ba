import type { BookingDocument } from './booking.model.js'

/**
 * What a booking comes to at a moment: its state alone does not say it, for a booking that was taken back stays COMMITTED.
 * A reversal holds nothing, so it never is active.
 */
export const STANDINGS = ['active', 'cancelled', 'ended'] as const
export type Standing = (typeof STANDINGS)[number]

type Judged = Pick<BookingDocument, 'state' | 'to' | 'reverses' | 'reversedBy'>

export function standingOf({ state, to, reverses, reversedBy }: Judged, now: Date): Standing {
  if (reversedBy || state === 'CANCELLING' || state === 'CANCELLED') return 'cancelled'
  return reverses || to <= now ? 'ended' : 'active'
}

/** The same as a filter, of those that match another one. */
export function ofStanding(standing: Standing, now: Date, among: object): object {
  // In two branches, each of which has an index in the order of the list.
  if (standing === 'cancelled')
    return {
      $or: [
        { ...among, reversedBy: { $exists: true } },
        { ...among, state: { $in: ['CANCELLED', 'CANCELLING'] } },
      ],
    }
  const stands = { ...among, state: { $in: ['INITIAL', 'PENDING', 'APPLIED', 'COMMITTED'] }, reversedBy: null }
  return standing === 'active'
    ? { ...stands, to: { $gt: now }, reverses: null }
    : { ...stands, $or: [{ to: { $lte: now } }, { reverses: { $ne: null } }] }
}

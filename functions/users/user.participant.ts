import type { Types } from 'mongoose'
import { long } from '../../platform/long.js'
import type { System } from '../../platform/system.js'
import { mongoStore } from '../../protocol/mongoStore.js'
import { participant, type Held, type Participant, type ParticipantRules } from '../../protocol/participant.js'
import type { Change } from '../../protocol/store.js'
import { User, type LedgerCause, type UserDocument } from './user.model.js'

/** What a user's document needs to know of a booking. */
export interface HeldFunds extends Held {
  userId: Types.ObjectId
  cost: number
}

/** Users as participants of the booking protocol: a booking holds its cost of the balance. */
export function userParticipant(system: System): Participant<HeldFunds> {
  const store = mongoStore<UserDocument>(system.model(User).collection, {
    projection: { bookings: 1, pendingBookings: 1, tombstones: 1, forgottenBefore: 1 },
    timeoutMs: Math.floor((system.config.deadlinesMs.step * 2) / 3),
  })

  return participant(store, userRules(system))
}

/** What a booking does to a user's balance, and what it takes. */
export function userRules({ now }: Pick<System, 'now'>): ParticipantRules<HeldFunds> {
  /** A balance never changes without its ledger entry: both are in the one update. */
  const change = (booking: HeldFunds, amount: number, cause: LedgerCause): Change => {
    const at = now()
    return {
      $inc: { balance: long(amount) },
      $push: { recentLedger: { at, cause, causeId: booking._id, change: long(amount) } },
      $set: { updatedAt: at },
    }
  }

  return {
    name: 'User',
    documentId: (booking) => booking.userId,
    activePath: 'bookings',
    record: (booking) => booking._id,
    can: (booking) => ({ balance: { $gte: long(booking.cost) } }),
    take: (booking) => change(booking, -booking.cost, 'booking'),
    giveBack: (booking) => change(booking, booking.cost, 'booking_undone'),
    reverse: (reversal) => change(reversal, reversal.cost, 'reversal'),
  }
}

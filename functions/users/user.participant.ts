import type { Types } from 'mongoose'
import { long } from '../../platform/database/long.js'
import type { System } from '../../platform/runtime/system.js'
import { mongoStore } from '../../protocol/mongoStore.js'
import {
  BOOKING_PLACES,
  participant,
  type Held,
  type Participant,
  type ParticipantRules,
} from '../../protocol/participant.js'
import type { Change } from '../../protocol/store.js'
import { PLACE_FIELDS, User, type LedgerCause, type UserDocument } from './user.model.js'

/** What a user's document needs to know of a booking. */
export interface HeldFunds extends Held {
  userId: Types.ObjectId
  cost: number
}

/** Users as participants of the protocol: payers of bookings and payments, whose balance they hold, and payees. */
export function userParticipants(system: System): Record<'booking' | 'payer' | 'payee', Participant<HeldFunds>> {
  const store = mongoStore<UserDocument>(system.model(User).collection, {
    projection: { ...PLACE_FIELDS, forgottenBefore: 1 },
    timeoutMs: system.config.deadlinesMs.write,
  })

  return {
    booking: participant(store, bookingRules(system)),
    payer: participant(store, payerRules(system)),
    payee: participant(store, payeeRules(system)),
  }
}

const PAYMENT_PLACES = {
  active: 'payments',
  activeId: 'payments',
  pending: 'pendingPayments',
  tombstones: 'paymentTombstones',
}

/** What a booking does to a user's balance, and what it takes. */
export const bookingRules = ({ now }: Pick<System, 'now'>): ParticipantRules<HeldFunds> => ({
  ...debitRules(now, { taken: 'booking', undone: 'booking_undone', reversed: 'reversal' }),
  name: 'User',
  places: { ...BOOKING_PLACES, activeId: 'bookings' },
})

export const payerRules = ({ now }: Pick<System, 'now'>): ParticipantRules<HeldFunds> => ({
  ...debitRules(now, { taken: 'payment', undone: 'payment_undone', reversed: 'refund' }),
  name: 'Payer',
  places: PAYMENT_PLACES,
})

/** Applied after the decision alone, so it is never undone or reversed: money back is a payment the other way. */
export function payeeRules({ now }: Pick<System, 'now'>): ParticipantRules<HeldFunds> {
  const never = () => {
    throw new Error('a receipt is never taken back')
  }
  return {
    name: 'Payee',
    documentId: (payment) => payment.userId,
    places: PAYMENT_PLACES,
    record: (payment) => payment._id,
    can: (payment) => ({ balance: { $lte: long(Number.MAX_SAFE_INTEGER - payment.cost) } }),
    take: (payment) => balanceChange(now, payment, payment.cost, 'receipt'),
    giveBack: never,
    reverse: never,
  }
}

function debitRules(now: () => Date, causes: Record<'taken' | 'undone' | 'reversed', LedgerCause>) {
  return {
    documentId: (booking: HeldFunds) => booking.userId,
    record: (booking: HeldFunds) => booking._id,
    can: (booking: HeldFunds) => ({ balance: { $gte: long(booking.cost) } }),
    take: (booking: HeldFunds) => balanceChange(now, booking, -booking.cost, causes.taken),
    giveBack: (booking: HeldFunds) => balanceChange(now, booking, booking.cost, causes.undone),
    reverse: (reversal: HeldFunds) => balanceChange(now, reversal, reversal.cost, causes.reversed),
  }
}

/** A balance never changes without its ledger entry: both are in the one update. */
function balanceChange(now: () => Date, booking: HeldFunds, amount: number, cause: LedgerCause): Change {
  const at = now()
  return {
    $inc: { balance: long(amount) },
    $push: { recentLedger: { at, cause, causeId: booking._id, change: long(amount) } },
    $set: { updatedAt: at },
  }
}

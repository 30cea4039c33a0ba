import type { Types } from 'mongoose'
import type { System } from '../../platform/runtime/system.js'
import { mongoStore } from '../../protocol/mongoStore.js'
import {
  BOOKING_PLACES,
  participant,
  type Held,
  type Participant,
  type ParticipantRules,
} from '../../protocol/participant.js'
import { Train, type TrainDocument } from './train.model.js'

/** What a train's document needs to know of a booking. */
export interface HeldSeats extends Held {
  trainId: Types.ObjectId
  /** How many seats. */
  passengers: number
}

/** Trains as participants of the booking protocol: a booking holds some of the seats that are left. */
export function trainParticipant(system: System): Participant<HeldSeats> {
  const store = mongoStore<TrainDocument>(system.model(Train).collection, {
    projection: { 'bookings._id': 1, pendingBookings: 1, tombstones: 1, forgottenBefore: 1 },
    timeoutMs: system.config.deadlinesMs.write,
  })
  return participant(store, trainRules(system))
}

/** What a booking does to a train, and what it takes. Numbers of seats are given later, by seat.changes.ts. */
export function trainRules({ now }: Pick<System, 'now'>): ParticipantRules<HeldSeats> {
  const change = (seats: number) => ({ $inc: { seatsLeft: seats }, $set: { updatedAt: now() } })

  return {
    name: 'Train',
    documentId: (booking) => booking.trainId,
    places: { ...BOOKING_PLACES, activeId: 'bookings._id' },
    record: ({ _id, passengers }) => ({ _id, passengers }),
    can: ({ passengers }) => ({ deleted: false, seatsLeft: { $gte: passengers } }),
    take: ({ passengers }) => change(-passengers),
    // With the record go its numbers: they are free again.
    giveBack: ({ passengers }) => change(passengers),
    reverse: ({ passengers }) => change(passengers),
  }
}

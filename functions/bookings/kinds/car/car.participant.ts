import type { System } from '../../../../platform/runtime/system.js'
import { mongoStore } from '../../../../protocol/mongoStore.js'
import {
  BOOKING_PLACES,
  participant,
  type Participant,
  type ParticipantRules,
} from '../../../../protocol/participant.js'
import type { CarBooking } from '../../booking.model.js'
import { Car, type CarDocument } from './car.model.js'

/** Cars as participants of the booking protocol: a booking holds a period that no other may overlap. */
export function carParticipant(system: System): Participant<CarBooking> {
  const store = mongoStore<CarDocument>(system.model(Car).collection, {
    projection: { 'bookings._id': 1, pendingBookings: 1, tombstones: 1, forgottenBefore: 1 },
    timeoutMs: system.config.deadlinesMs.write,
  })
  return participant(store, carRules(system))
}

/** What a booking does to a car, and what it takes. */
export function carRules({ now }: Pick<System, 'now'>): ParticipantRules<CarBooking> {
  const touch = () => ({ $set: { updatedAt: now() } })

  return {
    name: 'Car',
    documentId: (booking) => booking.carId,
    places: { ...BOOKING_PLACES, activeId: 'bookings._id' },
    record: ({ _id, from, to }) => ({ _id, from, to }),
    can: () => ({ retired: false }),
    free: ({ from, to }) => ({ array: 'bookings', period: { from, to } }),
    take: touch,
    giveBack: touch,
    reverse: touch,
  }
}

import type { z } from 'zod'
import type { train } from './contract.js'
import type { TrainDocument } from './train.model.js'

export type ShownTrain = z.output<typeof train>

/** What is shown of a train: without its bookings, which may be many. */
export const SHOWN_FIELDS = {
  route: 1,
  departureTime: 1,
  arrivalTime: 1,
  seats: 1,
  seatsLeft: 1,
  pricePerSeat: 1,
  'calledOff.at': 1,
  'calledOff.reason': 1,
  version: 1,
  createdAt: 1,
  updatedAt: 1,
} as const

export type ShownFields = Omit<
  TrainDocument,
  'routeKey' | 'bookings' | 'pendingBookings' | 'tombstones' | 'calledOff' | 'deleted' | 'forgottenBefore' | 'request'
> & {
  calledOff?: Pick<NonNullable<TrainDocument['calledOff']>, 'at' | 'reason'>
}

export const presentTrain = (t: ShownFields): ShownTrain => ({
  id: t._id.toHexString(),
  route: t.route,
  departureTime: t.departureTime.toISOString(),
  arrivalTime: t.arrivalTime.toISOString(),
  seats: t.seats,
  availableSeats: t.seatsLeft,
  pricePerSeat: t.pricePerSeat,
  ...(t.calledOff && { calledOff: { at: t.calledOff.at.toISOString(), reason: t.calledOff.reason } }),
  version: t.version,
  createdAt: t.createdAt.toISOString(),
  updatedAt: t.updatedAt.toISOString(),
})

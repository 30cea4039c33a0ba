import type { Types } from 'mongoose'
import { coalesce } from '../../../../platform/lib/coalesce.js'
import type { Output } from '../../../../platform/contract/contract.js'
import { sharedTrips } from '../../../../platform/runtime/sharedTrips.js'
import type { System } from '../../../../platform/runtime/system.js'
import { lobbies } from '../../../lobbies/contract.js'
import { trains } from '../../../trains/contract.js'
import type { BookingDocument } from '../../booking.model.js'

export type TrainBooking = BookingDocument & {
  trainId: Types.ObjectId
  /** Their names. */
  passengers: string[]
  /** The numbers of their seats, in the same order; the train gives them once the booking is decided. */
  seats?: number[]
  /** Where the seats were booked from: its members are told. */
  lobbyId?: Types.ObjectId
}

/** What a booking needs to know beforehand, never from a cache. */
export type TrainTerms = Output<typeof trains.readTrainTerms>['terms'][number]

export const trainTerms = (system: System): ((trainId: string) => Promise<TrainTerms>) =>
  coalesce(
    async (trainIds: string[]) => (await system.call(trains.readTrainTerms, { trainIds }, originOf(system))).terms,
    sharedTrips(system, 'The trains'),
  )

export type LobbyTerms = Output<typeof lobbies.readLobbyTerms>['terms'][number]

export const lobbyTerms = (system: System): ((lobbyId: string) => Promise<LobbyTerms>) =>
  coalesce(
    async (lobbyIds: string[]) => (await system.call(lobbies.readLobbyTerms, { lobbyIds }, originOf(system))).terms,
    sharedTrips(system, 'The lobbies'),
  )

const originOf = ({ newId }: System) => ({ caller: null, requestId: newId() })

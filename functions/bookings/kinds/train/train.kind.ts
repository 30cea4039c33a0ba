import mongoose from 'mongoose'
import type { Output } from '../../../../platform/contract/contract.js'
import { Refusal } from '../../../../platform/contract/errors.js'
import { invalidInput } from '../../../../platform/runtime/invocation.js'
import { violation } from '../../../../protocol/audit.js'
import { inParts } from '../../../../protocol/forgetting.js'
import { trains } from '../../../trains/contract.js'
import { assertRemembersMore } from '../../memory.rules.js'
import { works, type AuditedThing } from '../kind.js'
import { announceSeats } from './train.news.js'
import { remoteSeatGiver, remoteTrain, trainHolders } from './train.remote.js'
import { assertTrainCancellable } from './train.rules.js'
import { lobbyTerms, trainTerms, type TrainBooking } from './train.terms.js'

const { ObjectId } = mongoose.Types

interface Input {
  lobbyId?: string
  trainId?: string
  userId?: string
  passengers: { name: string }[]
}

/** Seats on a train, which lives in the trains domain: seats are counted when it votes, and numbered after the decision. */
works<TrainBooking, Input, HeldSeats>('train', {
  async draft(ctx, { lobbyId, passengers, ...input }) {
    const lobby = input.trainId === undefined ? await ctx.use(lobbyTerms)(lobbyId as string) : undefined
    const trainId = input.trainId ?? lobby?.trainId
    if (trainId === undefined) throw new Refusal('lobby_not_found', `There is no lobby ${lobbyId}.`)
    // Its members are told of the booking: whoever may not write there may not book from there either.
    if (lobby?.removed?.includes(input.userId ?? ctx.caller?.userId ?? '')) {
      throw new Refusal('removed_from_lobby', 'An admin removed the user from the lobby.')
    }
    const train = await ctx.use(trainTerms)(trainId)
    if (!train) throw new Refusal('train_not_found', `There is no train ${trainId}.`)
    if (train.calledOff) throw new Refusal('train_called_off', 'The train does not go.')
    assertRemembersMore(ctx, 'train', train.bytes)
    return {
      trainId: new ObjectId(trainId),
      ...(lobbyId !== undefined && { lobbyId: new ObjectId(lobbyId) }),
      passengers: passengers.map(({ name }) => name),
      from: new Date(train.departureTime),
      to: new Date(train.arrivalTime),
      cost: passengers.length * train.pricePerSeat,
    }
  },
  costsBy: 'passengers',
  participant: remoteTrain,
  holders: trainHolders,
  afterwards: remoteSeatGiver,
  refusalText: 'So many seats are not left.',
  fields: ['trainId', 'lobbyId', 'passengers', 'seats'],
  given: ['seats'],
  present: ({ trainId, passengers, seats, version }) => ({
    trainId: trainId.toHexString(),
    passengers: passengers.map((name, i) => ({ name, ...(seats && { seat: seats[i] as number }) })),
    version: version ?? 0,
  }),
  async assertCancellable(ctx, booking) {
    assertTrainCancellable(ctx, booking, await ctx.use(trainTerms)(booking.trainId.toHexString()))
  },
  change(booking, { passengers = [] }: { passengers?: { name: string }[] }) {
    if (passengers.length !== booking.passengers.length) {
      const message = `must be ${booking.passengers.length}: the seats stay the same`
      throw invalidInput({ issues: [{ path: ['set', 'passengers'], message }] })
    }
    return { passengers: passengers.map(({ name }) => name) }
  },
  announce: announceSeats,
  audit: {
    async *all(ctx) {
      let cursor: string | null | undefined
      do {
        const page = await ctx.call(trains.auditTrains, { limit: 200, ...(cursor && { cursor }) })
        for (const train of page.items) yield audited(train)
        cursor = page.nextCursor
      } while (cursor)
    },
    async find(ctx, ids) {
      const found: AuditedTrain[] = []
      await inParts(ids, async (trainIds) => {
        const { items } = await ctx.call(trains.auditTrains, { trainIds })
        for (const each of items) found.push(audited(each))
        return []
      })
      return found
    },
    differs(booking, { passengers, seats }) {
      if (passengers !== booking.passengers.length) return `holds ${passengers} seats`
      return seats.join() === booking.seats?.join() ? undefined : `has seats ${seats.join()}`
    },
  },
})

interface HeldSeats {
  id: string
  passengers: number
  seats: number[]
}
type AuditedTrain = AuditedThing<HeldSeats>
type Answered = Output<typeof trains.auditTrains>['items'][number]

const audited = ({ id, bookings, pendingBookings, tombstones, violations }: Answered): AuditedTrain => ({
  id,
  records: bookings,
  markers: [...bookings.map((each) => each.id), ...pendingBookings, ...tombstones],
  violations: violations.map((detail) => violation('seats', id, detail)),
})

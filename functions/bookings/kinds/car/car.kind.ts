import type { Types } from 'mongoose'
import { Refusal } from '../../../../platform/contract/errors.js'
import type { System } from '../../../../platform/runtime/system.js'
import { violation, type Violation } from '../../../../protocol/audit.js'
import type { ParticipantRules } from '../../../../protocol/participant.js'
import type { BookingDocument } from '../../booking.model.js'
import { auditThings, notForgotten, THING_PLACES, thingParticipant, thingTerms, tidyThings } from '../../thing.kinds.js'
import type { AuditedRecord, Kind } from '../kind.js'
import { Car, type CarDocument, type CarRecord } from './car.model.js'

export type CarBooking = BookingDocument & { carId: Types.ObjectId }
type Period = Pick<CarBooking, 'from' | 'to'>

/** A car is held for a period, which no other booking of it overlaps. */
export default {
  async draft(ctx, { carId, ...period }) {
    const car = await ctx.use(carTerms)(carId)
    if (!car) throw new Refusal('car_not_found', `There is no car ${carId}.`)
    if (car.retired) throw new Refusal('car_retired', 'The car takes no new bookings.')
    const [from, to] = [new Date(period.from), new Date(period.to)]
    return { carId: car._id, from, to, cost: startedHours({ from, to }) * car.pricePerHour }
  },
  costsBy: 'to',
  participant: (system) => thingParticipant(system, Car, carRules(system)),
  refusalText: 'The car is booked for an overlapping period, or retired.',
  fields: ['carId'],
  present: ({ carId }) => ({ carId: carId.toHexString() }),
  audit: {
    ...auditThings(Car, overlapsOf),
    differs: (booking, { from, to }) =>
      Number(from) === Number(booking.from) && Number(to) === Number(booking.to) ? undefined : 'holds another period',
  },
  tidy: (ctx) => tidyThings(ctx, Car, { idField: 'carId', isOver: ({ to }: CarRecord, mark) => to < mark }),
} satisfies Kind<CarBooking, { carId: string; from: string; to: string }, AuditedRecord & Period>

export const carTerms = thingTerms(Car, ['pricePerHour', 'retired'])

const HOUR_MS = 3_600_000
const startedHours = ({ from, to }: Period): number => Math.ceil((to.getTime() - from.getTime()) / HOUR_MS)

/** What a booking does to a car, and what it takes. */
export function carRules({ now }: Pick<System, 'now'>): ParticipantRules<CarBooking> {
  const touch = () => ({ $set: { updatedAt: now() } })

  return {
    name: 'Car',
    documentId: (booking) => booking.carId,
    places: THING_PLACES,
    record: ({ _id, from, to }) => ({ _id, from, to }),
    can: (booking) => ({ retired: false, ...notForgotten(booking) }),
    free: ({ from, to }) => ({ array: 'bookings', period: { from, to } }),
    take: touch,
    giveBack: touch,
    reverse: touch,
  }
}

/** A car's active bookings never overlap. */
export function overlapsOf(car: Pick<CarDocument, '_id' | 'bookings'>): Violation[] {
  const byStart = [...car.bookings].sort((a, b) => Number(a.from) - Number(b.from))
  return byStart.slice(1).flatMap((next, i) => {
    const previous = byStart[i]
    return previous && previous.to > next.from
      ? [violation('no_overlap', String(car._id), `${String(previous._id)} and ${String(next._id)}`)]
      : []
  })
}

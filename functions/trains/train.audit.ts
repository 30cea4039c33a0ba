import type { TrainDocument } from './train.model.js'

export type TrainToAudit = Pick<
  TrainDocument,
  '_id' | 'seats' | 'seatsLeft' | 'bookings' | 'pendingBookings' | 'tombstones' | 'deleted' | 'calledOff'
>

/**
 * The rules that one train's document must keep at every moment: each of its writes keeps them. Whoever had seats when it
 * was called off must have been refunded if that was before `latest`.
 */
export function findingsOf({ seats, seatsLeft, bookings, deleted, calledOff }: TrainToAudit, latest: Date): string[] {
  const held = bookings.reduce((sum, { passengers }) => sum + passengers, 0)
  const numbers = bookings.flatMap((each) => each.seats ?? [])
  const twice = numbers.filter((each, i) => numbers.indexOf(each) !== i)
  const beyond = numbers.filter((each) => each < 1 || each > seats)
  const short = bookings.filter((each) => each.seats && each.seats.length !== each.passengers)
  return [
    ...(held + seatsLeft === seats ? [] : [`${held} seats held and ${seatsLeft} left of ${seats}`]),
    ...(seatsLeft < 0 ? [`${-seatsLeft} seats sold that it does not have`] : []),
    ...(twice.length === 0 ? [] : [`seats ${twice.join(', ')} given twice`]),
    ...short.map(({ _id }) => `booking ${String(_id)} has another number of seats than passengers`),
    ...(beyond.length === 0 ? [] : [`seats ${beyond.join(', ')} sold of a train with ${seats}`]),
    ...(deleted && held > 0 && !calledOff ? ['deleted, with seats held'] : []),
    ...(calledOff && held > 0 && calledOff.at < latest ? ['called off, with seats held'] : []),
  ]
}

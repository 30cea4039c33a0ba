import type { Passenger } from './passenger.js'

/** What the databases say in the end. */
export interface Books {
  /** Of each lobby's feed, by seq. */
  feeds: Map<string, { seq: number; name: string; bookingId?: string }[]>
  trains: {
    id: string
    seats: number
    seatsLeft: number
    bookings: { id: string; passengers: number; seats: number[] }[]
  }[]
  bookings: Map<string, { userId: string; state: string; seats: number[] }>
  /** Of the product's own audit. */
  violations: string[]
}

/** Every promise of the race, held against what each client was told. Answers what was broken. */
export function check(passengers: readonly Passenger[], started: Map<string, string>, books: Books): string[] {
  return [
    ...books.violations.map((each) => `audit: ${each}`),
    ...books.trains.flatMap(checkSeats),
    ...passengers.flatMap((each) => checkOutcomes(each, started, books)),
    ...passengers.flatMap((each) => checkSequence(each, books)),
  ]
}

function checkSeats({ id, seats, seatsLeft, bookings }: Books['trains'][number]): string[] {
  const numbers = bookings.flatMap((each) => each.seats)
  const sold = bookings.reduce((sum, each) => sum + each.passengers, 0)
  return [
    ...(sold === seats && seatsLeft === 0 ? [] : [`train ${id}: ${sold} of ${seats} seats sold, ${seatsLeft} left`]),
    ...(new Set(numbers).size === numbers.length ? [] : [`train ${id}: a seat has two owners`]),
    ...(numbers.every((each) => each >= 1 && each <= seats) ? [] : [`train ${id}: a seat that it does not have`]),
  ]
}

/** Every booking that a client started was told to it once, and as it ended. */
function checkOutcomes({ userId, outcomes }: Passenger, started: Map<string, string>, books: Books): string[] {
  const own = [...started].filter(([, owner]) => owner === userId).map(([bookingId]) => bookingId)
  return own.flatMap((bookingId) => {
    const told = outcomes.filter((each) => each.bookingId === bookingId)
    const booking = books.bookings.get(bookingId)
    if (told.length !== 1) return [`booking ${bookingId}: told ${told.length} times (${booking?.state})`]
    const expected = booking?.state === 'COMMITTED' ? 'booking:confirmed' : 'booking:rejected'
    if (told[0]?.name !== expected) return [`booking ${bookingId}: told ${told[0]?.name}, is ${booking?.state}`]
    return expected === 'booking:confirmed' && told[0].seats.join() !== booking?.seats.join()
      ? [`booking ${bookingId}: told seats ${told[0].seats.join()}, has ${booking?.seats.join()}`]
      : []
  })
}

/** From where it joined first to the end: all of the lobby's messages, in order, as the feed has them. */
function checkSequence({ userId, lobbyId, heard, joinedAt }: Passenger, books: Books): string[] {
  const expected = (books.feeds.get(lobbyId) ?? []).filter(({ seq }) => seq > joinedAt)
  const saw = heard.map(({ seq, name, about }) => `${seq} ${name} ${name.startsWith('booking:') ? about : ''}`)
  const should = expected.map(({ seq, name, bookingId }) => `${seq} ${name} ${bookingId ?? ''}`)
  const at = should.findIndex((each, i) => saw[i] !== each)
  if (at < 0 && saw.length === should.length) return []
  return [`user ${userId}: heard ${saw.length} of ${should.length}; at ${at}: "${saw[at]}" for "${should[at]}"`]
}

import type { Answer, BookingClaim, Journal, TransferClaim, Violation } from './journal.js'
import type { BookingRecord, Snapshot, TransferRecord } from './snapshot.js'

/** Whether the books say what clients were told, once all is quiet. */
export function checkClaims(journal: Journal, snapshot: Snapshot): Violation[] {
  const bookings = new Map(snapshot.bookings.map((booking) => [booking.id, booking]))
  const reversals = new Map(
    snapshot.bookings.flatMap((each) => (each.reverses ? [[each.reverses, each] as const] : [])),
  )
  const transfers = new Map(snapshot.transfers.map((each) => [`${each.kind} ${each.id}`, each]))
  // A parked booking waits for an admin, and so does whatever its user sent after it.
  const waiting = new Set(snapshot.bookings.filter(({ parked }) => parked).map(({ userId }) => userId))
  const claimed = [...journal.bookings.values()].filter(({ userId }) => !waiting.has(userId))
  return [
    ...journal.violations,
    ...claimed.flatMap((claim) => [
      ...checkBooking(claim, bookings.get(claim.bookingId)),
      ...checkCancels(claim, bookings.get(claim.bookingId), reversals.get(claim.bookingId)),
    ]),
    ...[...journal.transfers.values()].flatMap((claim) =>
      checkTransfer(claim, transfers.get(`${claim.kind} ${claim.id}`)),
    ),
    ...snapshot.bookings
      .filter(({ id, reverses }) => !journal.bookings.has(reverses ?? id))
      .map(({ id }) => ({ rule: 'booking_was_asked_for', id, detail: 'no client did' })),
  ]
}

function checkBooking(claim: BookingClaim, record: BookingRecord | undefined): Violation[] {
  const { bookingId: id, answer } = claim
  if (!answer)
    return [{ rule: 'every_request_ends', id, detail: `createBooking; it is ${record?.state ?? 'not there'}` }]
  const violations: Violation[] = []
  const wanted = answer.ok ? 'COMMITTED' : 'CANCELLED'
  if (record?.state !== wanted) {
    const told = answer.ok ? 'COMMITTED' : answer.code
    violations.push({ rule: 'acknowledged_stays', id, detail: `told ${told}, is ${record?.state ?? 'not there'}` })
  }
  if (!answer.ok && REASONS.includes(answer.code) && record?.reason !== answer.code) {
    violations.push({ rule: 'acknowledged_stays', id, detail: `told ${answer.code}, the reason is ${record?.reason}` })
  }
  const same =
    record?.userId === claim.userId &&
    record.kind === claim.kind &&
    record.thingId === claim.thingId &&
    record.from === Date.parse(claim.from) &&
    record.to === Date.parse(claim.to) &&
    record.cost === claim.cost
  if (!same) violations.push({ rule: 'booked_as_asked', id, detail: JSON.stringify({ claim, record }) })
  return violations
}

/** Refusals that are kept as the reason of the cancelled booking. */
const REASONS = ['car_unavailable', 'room_unavailable', 'insufficient_funds']

function checkCancels(
  { bookingId: id, cancels }: BookingClaim,
  record: BookingRecord | undefined,
  reversal: BookingRecord | undefined,
): Violation[] {
  if (cancels.length === 0) return reversal ? [{ rule: 'cancelled_when_asked', id, detail: 'nobody asked' }] : []
  return cancels.flatMap(({ answer }): Violation[] => {
    if (!answer) return [{ rule: 'every_request_ends', id, detail: 'cancelBooking' }]
    if (!answer.ok) return []
    const told = reversalIn(answer)
    if (told === undefined && record?.state === 'CANCELLED') return []
    if (told !== undefined && told === reversal?.id && reversal.state === 'COMMITTED') return []
    const found = reversal ? `reversed by ${reversal.id} (${reversal.state})` : `${record?.state}, not reversed`
    return [
      { rule: 'acknowledged_stays', id, detail: `told ${told ? `reversed by ${told}` : 'CANCELLED'}, is ${found}` },
    ]
  })
}

function reversalIn(answer: Answer & { ok: true }): string | undefined {
  const { reversal } = answer.data as { reversal?: { id: string } }
  return reversal?.id
}

function checkTransfer(
  { id, kind, userId, amount, answer }: TransferClaim,
  record: TransferRecord | undefined,
): Violation[] {
  if (!answer) return [{ rule: 'every_request_ends', id, detail: `${kind}; it is ${record?.state ?? 'not there'}` }]
  const wanted = answer.ok ? 'COMMITTED' : 'CANCELLED'
  if (record?.state === wanted && record.userId === userId && record.amount === amount) return []
  const told = answer.ok ? 'done' : answer.code
  return [
    { rule: 'acknowledged_stays', id, detail: `${kind} of ${amount}: told ${told}, is ${JSON.stringify(record)}` },
  ]
}

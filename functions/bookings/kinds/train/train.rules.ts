import { Refusal } from '../../../../platform/contract/errors.js'
import type { Context } from '../../../../platform/runtime/function.js'
import type { TrainBooking, TrainTerms } from './train.terms.js'

/**
 * Until when passengers may take a booking back: judged by the train as it is, not by the times as they were booked. A
 * train that goes at another time than they booked may be left without the notice; one that is called off always.
 */
export function assertTrainCancellable(
  { now, config: { trains } }: Pick<Context, 'now' | 'config'>,
  booking: TrainBooking,
  terms: TrainTerms,
): void {
  if (terms?.calledOff) return
  const [departs, arrives] = terms
    ? [new Date(terms.departureTime), new Date(terms.arrivalTime)]
    : [booking.from, booking.to]
  if (departs <= now()) throw new Refusal('booking_started', 'The train has left; only an admin can still cancel it.')
  const until = new Date(departs.getTime() - trains.cancelNoticeMs)
  if (now() <= until) return
  const movedMs = Math.max(Math.abs(+departs - +booking.from), Math.abs(+arrives - +booking.to))
  if (movedMs > trains.freeCancelAfterMs) return
  throw new Refusal('cancellation_too_late', 'The train leaves too soon.', { until: until.toISOString() })
}

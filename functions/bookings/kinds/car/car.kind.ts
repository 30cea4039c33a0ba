import { periodKind, periodRules, startedUnits } from '../../period.kinds.js'
import { works } from '../kind.js'
import { Car } from './car.model.js'

const HOUR_MS = 3_600_000

/** A car is held for a period, which no other booking of it overlaps. */
works(
  'car',
  periodKind('car', {
    model: Car,
    reads: ['pricePerHour'],
    cost: ({ pricePerHour }, period) => startedUnits(period, HOUR_MS) * pricePerHour,
  }),
)

/** What a booking does to a car, and what it takes. */
export const carRules = periodRules('car')

import { APPOINTMENT_MUTANTS } from './appointments/mutants.js'
import { BOOKING_MUTANTS } from './bookings/mutants.js'
import { REFUND_MUTANTS } from './refunds/mutants.js'
import type { Mutant } from './mutant.js'

export const MUTANTS: readonly Mutant[] = [...BOOKING_MUTANTS, ...REFUND_MUTANTS, ...APPOINTMENT_MUTANTS]

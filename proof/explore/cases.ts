import { APPOINTMENT_CASES } from './appointments/cases.js'
import { BOOKING_CASES } from './bookings/cases.js'
import { REFUND_CASES } from './refunds/cases.js'
import type { Case } from './theatre.js'

/** The cases that are explored. */
export const CASES: readonly Case[] = [...BOOKING_CASES, ...REFUND_CASES, ...APPOINTMENT_CASES]

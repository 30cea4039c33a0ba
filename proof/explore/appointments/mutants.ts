import type { Mutant } from '../mutant.js'

/** Cancellations broken on purpose, one rule at a time. */

const SETTLEMENT = 'functions/calendars/invitation.settlement.ts'

export const APPOINTMENT_MUTANTS: readonly Mutant[] = [
  {
    name: 'new attempt while the one before is undecided',
    edits: [
      {
        file: 'functions/calendars/cancelInvitation.ts',
        find: "if (current.kind === 'cancellation_started' || current.kind === 'cancelled') return null",
        replace: "if (current.kind === 'cancelled') return null",
      },
      {
        file: 'functions/calendars/invitation.changes.ts',
        find: "if (state !== 'confirmed') throw",
        replace: "if (state !== 'confirmed' && state !== 'cancelling') throw",
      },
    ],
    shows: { case: 'cancel-both', faults: [] },
  },
  {
    name: 'another refund at each try',
    edits: [{ file: SETTLEMENT, find: 'paymentId: paymentId.toHexString(),', replace: 'paymentId: ctx.newId(),' }],
    shows: { case: 'cancel-both', faults: [] },
  },
  {
    name: 'refund without an answer taken for a no',
    edits: [
      {
        file: SETTLEMENT,
        find: "['insufficient_funds', 'payment_cancelled']",
        replace: "['insufficient_funds', 'payment_cancelled', 'deadline_exceeded']",
      },
    ],
    shows: { case: 'cancel-both', faults: ['late'] },
  },
  {
    name: 'two entries of one number',
    edits: [
      {
        file: 'platform/migrations/shapes.ts',
        find: "name: 'one_entry_per_number', unique: true }",
        replace: "name: 'one_entry_per_number' }",
      },
    ],
    shows: { case: 'cancel-both', faults: [] },
  },
]

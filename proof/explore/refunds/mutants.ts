import type { Mutant } from '../mutant.js'

/** Refunds broken on purpose, one rule at a time. */

const CHANGES = 'functions/payments/charge.changes.ts'
const ENGINE = 'functions/payments/refund.engine.ts'
const REMOTE = 'functions/payments/refund.remote.ts'

export const REFUND_MUTANTS: readonly Mutant[] = [
  {
    name: 'a refund takes nothing out of what is left',
    edits: [
      {
        file: CHANGES,
        find: 'const set = { left: current.left - refund.amount, refunds }',
        replace: 'const set = { left: current.left, refunds }',
      },
    ],
    shows: { case: 'two-refunds', faults: [] },
  },
  {
    name: 'revision of the charge not compared',
    edits: [
      {
        file: CHANGES,
        find: 'const filter = { _id: from._id, revision: from.revision }',
        replace: 'const filter = { _id: from._id }',
      },
    ],
    shows: { case: 'two-refunds', faults: [] },
  },
  {
    name: 'refund moved from wherever it stands',
    edits: [
      {
        file: CHANGES,
        find: 'if (now?.state !== from.state || now.seller !== from.seller || now.attempt !== from.attempt) return null',
        replace: 'if (!now) return null',
      },
    ],
    shows: { case: 'failed-refund-retried', faults: [] },
  },
  {
    name: 'rejected refund gives its amount to nobody',
    edits: [
      {
        file: CHANGES,
        find: 'left: current.left + (isGivenUp ? now.amount : 0),',
        replace: 'left: current.left,',
      },
    ],
    shows: { case: 'two-refunds-poor', faults: [] },
  },
  {
    name: "a key of Stripe's for each try",
    edits: [
      {
        file: REMOTE,
        find: '{ idempotencyKey: `refund:${name.refundId}:${name.attempt}` }',
        replace: '{ idempotencyKey: `refund:${name.refundId}:${ctx.newId()}` }',
      },
    ],
    shows: { case: 'refund-sent-twice', faults: [] },
  },
  {
    name: 'seller debited by another payment at each try',
    edits: [
      {
        file: ENGINE,
        find: 'payOf(ctx, refund, refund.debitId, {',
        replace: 'payOf(ctx, refund, { toHexString: () => ctx.newId() } as never, {',
      },
    ],
    shows: { case: 'refund-recovery', faults: [] },
  },
  {
    name: 'seller credited by another payment at each try',
    edits: [
      {
        file: ENGINE,
        find: 'payOf(ctx, refund, refund.creditId, {',
        replace: 'payOf(ctx, refund, { toHexString: () => ctx.newId() } as never, {',
      },
    ],
    shows: { case: 'refund-dashboard', faults: [] },
  },
  {
    name: 'what Stripe gave back does not wait for its answer to ours',
    edits: [{ file: REMOTE, find: '    if (waits(current, movement)) return null\n', replace: '' }],
    shows: { case: 'refund-webhook-short', faults: [] },
  },
  {
    name: "no answer of Stripe's taken for a no",
    edits: [
      {
        file: REMOTE,
        find: '      if (!isDefiniteNo(error)) throw error\n      return { rejected',
        replace:
          "      if (!isDefiniteNo(error)) return { rejected: 'refund_rejected', why: 'no answer' }\n      return { rejected",
      },
    ],
    shows: { case: 'refund-recovery', faults: ['late'] },
  },
  {
    name: 'debit without an answer taken for a no',
    edits: [
      {
        file: ENGINE,
        find: '    if (!isFinalRefusal(error)) throw error\n',
        replace: '',
      },
    ],
    shows: { case: 'refund-recovery', faults: ['late'] },
  },
  {
    name: 'buyer given back before the seller has paid',
    edits: [
      {
        file: ENGINE,
        find: "if (refund.seller === 'debiting') return debitSeller",
        replace: "if (refund.seller === 'debiting' && refund.state !== 'waiting') return debitSeller",
      },
    ],
    shows: { case: 'two-refunds-poor', faults: [] },
  },
]

import { violation, type Settled, type Violation } from '../../protocol/audit.js'
import type { PaymentDocument } from './payment.model.js'

/** The rules that auditPayments checks, as plain functions of what was read. protocol/audit.ts says how to read. */

export type AuditedPayment = Pick<
  PaymentDocument,
  | '_id'
  | 'payerId'
  | 'payeeId'
  | 'amount'
  | 'state'
  | 'reverses'
  | 'parked'
  | 'recoveries'
  | 'createdAt'
  | 'lastModified'
>

/** A payer or payee, as auditUsers answers them. */
export interface AuditedPayer {
  id: string
  payments: string[]
  pendingPayments: string[]
  paymentTombstones: string[]
  forgottenBefore: string
  paymentChanges: Record<string, number>
}

/** Every COMMITTED payment has its effect exactly once on payer and payee, every other none; every mark has its payment. */
export function checkPayer(
  user: AuditedPayer,
  settled: readonly Settled<AuditedPayment>[],
  known: ReadonlySet<string>,
): Violation[] {
  const active = new Set(user.payments)
  const forgottenBefore = new Date(user.forgottenBefore)
  const violations = settled.flatMap(({ booking: payment, stands }): Violation[] => {
    const id = String(payment._id)
    const found: string[] = []
    const expected = effectOn(user.id, payment)
    const actual = user.paymentChanges[id] ?? 0
    if (actual !== expected) found.push(`changed user ${user.id} by ${actual}, expected ${expected}`)
    const holds = stands && !payment.reverses
    if (holds && payment.createdAt >= forgottenBefore && !active.has(id)) found.push(`not active at user ${user.id}`)
    if (!holds && active.has(id)) found.push(`still active at user ${user.id}`)
    return found.map((detail) => violation('payment_exactly_once', id, detail))
  })
  const marked = [user.payments, user.pendingPayments, user.paymentTombstones, Object.keys(user.paymentChanges)].flat()
  for (const id of new Set(marked)) {
    if (!known.has(id))
      violations.push(violation('marker_has_payment', id, `user ${user.id} knows it, no payment does`))
  }
  return violations
}

function effectOn(userId: string, { state, amount, payerId, reverses }: AuditedPayment): number {
  if (state === 'CANCELLED') return 0
  const pays = String(payerId) === userId && !reverses
  return pays ? -amount : amount
}

/** Recovery must have dealt with it. */
export const lateViolation = ({ _id, state, lastModified }: AuditedPayment): Violation =>
  violation('settles_in_time', String(_id), `${state} since ${lastModified.toISOString()}`)

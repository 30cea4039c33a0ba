import mongoose from 'mongoose'
import { long } from '../../platform/database/long.js'
import type { System } from '../../platform/runtime/system.js'
import { createEngine, type Engine } from '../../protocol/engine.js'
import { mongoStore } from '../../protocol/mongoStore.js'
import { newEngineDocument } from '../../protocol/request.js'
import { remoteUser } from '../users/user.remote.js'
import { Payment, type PaymentDocument } from './payment.model.js'

/**
 * The protocol's engine for payments. The payer votes; a payee receives after the decision. Any number of a user's
 * payments may be under way at once.
 */
export function paymentEngine(system: System): Engine<PaymentDocument> {
  const payer = {
    ...remoteUser<PaymentDocument>(system, 'payer', ({ payerId, amount }) => fundsOf(payerId, amount)),
    refusal: 'insufficient_funds',
  }
  const payee = remoteUser<PaymentDocument>(system, 'payee', ({ payeeId, amount }) => fundsOf(payeeId, amount))
  return createEngine<PaymentDocument>({
    store: mongoStore<PaymentDocument>(system.model(Payment).collection, {
      encode: (payment) => ({ ...payment, amount: long(payment.amount) }),
      timeoutMs: system.config.deadlinesMs.write,
    }),
    votersOf: ({ payerId }) => (payerId ? [payer] : []),
    receiversOf: ({ payeeId }) => (payeeId ? [payee] : []),
    now: system.now,
    reversalOf: (original) => reversalOf(original, system),
  })
}

/** The engine asks only those who are there. */
const fundsOf = (userId: mongoose.Types.ObjectId | undefined, cost: number) => ({
  userId: userId as mongoose.Types.ObjectId,
  cost,
})

/** The payment that gives another one back to its payer. Nobody has received that one: see refund.ts. */
function reversalOf(original: PaymentDocument, { now, newId }: Pick<System, 'now' | 'newId'>): PaymentDocument {
  const { payerId, amount, cause, requestId } = original
  return {
    ...newEngineDocument(
      { _id: new mongoose.Types.ObjectId(newId()), ...(payerId && { payerId }), amount, cause, requestId },
      now(),
    ),
    reverses: original._id,
    originalCreatedAt: original.createdAt,
  }
}

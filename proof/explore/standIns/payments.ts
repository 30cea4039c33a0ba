import mongoose from 'mongoose'
import type { CallInput } from '../../../platform/contract/contract.js'
import { Refusal } from '../../../platform/contract/errors.js'
import type { Context } from '../../../platform/runtime/function.js'
import { payments } from '../../../functions/payments/contract.js'
import { Unknown } from '../../../protocol/store.js'
import type { Document } from '../documents.js'
import type { Tools } from '../executor.js'
import { id } from '../theatre.js'

/**
 * What payments promise, which theatres of bookings show of their engine: an id has one final outcome, whoever asks for it
 * how often. A user's account is one document, with every payment's id in it: either the money moved with it, or it was
 * refused. A call of unknown outcome is one that did not answer in time.
 */

export interface Account extends Document {
  /** What was there at the start. */
  readonly opening: number
  readonly balance: number
  readonly ledger: readonly { _id: Document['_id']; cause: string; causeId: string; change: number }[]
  readonly refused: readonly Document['_id'][]
}

const { ObjectId } = mongoose.Types

export const account = (userId: string, opening: number): Account => ({
  _id: new ObjectId(userId),
  opening,
  balance: opening,
  ledger: [],
  refused: [],
})

/** The one payment that is taken back here, whole, and by which payment. */
export interface TakenBack {
  paymentId: string
  payerId: string
  amount: number
}
const REVERSAL = id('be')

export function callOver(tools: Tools, takenBack?: TakenBack): Context['call'] {
  const call = async (operation: unknown, input: unknown): Promise<unknown> => {
    try {
      if (operation === payments.pay) return await pay(tools, input as Payment)
      if (operation === payments.refund && takenBack) return await takeBack(tools, takenBack, input as PaymentId)
    } catch (error) {
      if (!(error instanceof Unknown)) throw error
      throw new Refusal('deadline_exceeded', 'No answer in time.')
    }
    throw new Error('nobody answers that here')
  }
  return call as Context['call']
}

type Payment = CallInput<typeof payments.pay>
type PaymentId = CallInput<typeof payments.refund>

/** The payer decides; the payee receives after that, and cannot refuse. */
async function pay(tools: Tools, payment: Payment): Promise<void> {
  if (payment.payerId !== undefined) await debit(tools, payment.payerId, payment)
  if (payment.payeeId !== undefined) await move(tools, payment.payeeId, payment, payment.amount)
}

async function debit(tools: Tools, payerId: string, payment: Payment): Promise<void> {
  const account = new ObjectId(payerId)
  const paymentId = new ObjectId(payment.paymentId)
  for (;;) {
    if (await move(tools, payerId, payment, -payment.amount)) return
    const guard = { ...isNew(paymentId), balance: { $lt: payment.amount } }
    const change = { $push: { refused: paymentId } }
    const refused = await tools.ask({ kind: 'take', collection: 'accounts', id: account, guard, change })
    const seen =
      refused ?? (await tools.ask<Account>({ kind: 'read', collection: 'accounts', id: account, durability: LAST }))
    const { ledger, refused: no } = seen as Account
    if (ledger.some(({ _id }) => _id.equals(paymentId))) return
    if (no.some((each) => each.equals(paymentId))) throw new Refusal('insufficient_funds', 'It does not cover it.')
  }
}

const LAST = 'linearizable'

/** Once an id. False: it was done before, or refused, or is not covered. */
async function move(
  tools: Tools,
  userId: string,
  { paymentId, cause }: Pick<Payment, 'paymentId' | 'cause'>,
  change: number,
): Promise<boolean> {
  const _id = new ObjectId(paymentId)
  const moved = await tools.ask({
    kind: 'take',
    collection: 'accounts',
    id: new ObjectId(userId),
    guard: { ...isNew(_id), ...(change < 0 && { balance: { $gte: -change } }) },
    change: {
      $inc: { balance: change },
      $push: { ledger: { _id, cause: cause.type, causeId: cause.id, change } },
    },
  })
  return moved !== null
}

const isNew = (paymentId: Document['_id']) => ({ 'ledger._id': { $ne: paymentId }, refused: { $ne: paymentId } })

async function takeBack(tools: Tools, { paymentId, payerId, amount }: TakenBack, asked: PaymentId): Promise<void> {
  if (asked.paymentId !== paymentId) throw new Error(`nobody has made the payment ${asked.paymentId}`)
  await move(tools, payerId, { paymentId: REVERSAL, cause: { type: 'reversal', id: paymentId } }, amount)
}

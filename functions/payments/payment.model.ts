import type { Types } from 'mongoose'
import { field, maybe, recordOf } from '../../platform/database/fields.js'
import { defineModel } from '../../platform/database/model.js'
import type { Repair } from '../../protocol/engine.js'
import { drivenFields } from '../../protocol/fields.js'
import type { State } from '../../protocol/states.js'

/** Money that goes from a user, to a user, or both: a document that the engine drives (protocol/engine.ts). */
export interface PaymentDocument {
  _id: Types.ObjectId
  /** Who pays; absent: the money comes from outside. */
  payerId?: Types.ObjectId
  /** Who receives; absent: it is held, or leaves. */
  payeeId?: Types.ObjectId
  /** Minor units, 64-bit integer. */
  amount: number
  /** What it was made for. */
  cause: { type: string; id: Types.ObjectId }
  state: State
  /** Fences executors: every transition is a compare-and-set on (state, epoch); a takeover raises it. */
  epoch: number
  reason?: string
  reverses?: Types.ObjectId
  /** Of a reversal: when the payment that it takes back was created. */
  originalCreatedAt?: Date
  /** How often recovery took it over. */
  recoveries: number
  parked: boolean
  /** One record a repair: when, by whom, from which state, why. */
  repairs: Repair[]
  requestId: string
  createdAt: Date
  lastModified: Date
}

export const Payment = defineModel<PaymentDocument>('payments', 'payments', {
  payerId: maybe(field.id),
  payeeId: maybe(field.id),
  amount: field.money,
  cause: recordOf<PaymentDocument['cause']>({ type: field.text, id: field.id }),
  ...drivenFields,
})

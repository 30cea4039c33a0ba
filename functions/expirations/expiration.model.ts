import { Schema, type Types } from 'mongoose'
import { defineModel } from '../../platform/database/model.js'
import { EXPIRATIONS, type EXPIRE_ORDER } from './contract.js'

/**
 * The timer of an order, under the order's id, as Agenda stores a job that runs once: a jobs process runs it when it is
 * due. It is gone when it has rung.
 */
export interface ExpirationDocument {
  _id: Types.ObjectId
  name: typeof EXPIRE_ORDER
  type: 'normal'
  priority: number
  nextRunAt: Date | null
  lockedAt: Date | null
}

const schema = new Schema<ExpirationDocument>(
  {
    name: { type: String, required: true },
    type: { type: String, required: true },
    priority: { type: Number, required: true },
    nextRunAt: Date,
    lockedAt: Date,
  },
  { versionKey: false },
)

export const Expiration = defineModel<ExpirationDocument>('expirations', EXPIRATIONS, schema)

import { Schema, type Types } from 'mongoose'
import { defineModel } from '../../platform/database/model.js'

/** One message of a feed. Written once, never changed; tidyFeeds drops it when nobody can be waiting for it any more. */
export interface FeedEntryDocument {
  _id: Types.ObjectId
  /** `lobby:<id>` or `user:<id>`. */
  feed: string
  /** From 1 and without gaps in each feed. */
  seq: number
  /** What it is about: the same news appended again is known by it. */
  key: string
  /** The event that clients listen to. */
  name: string
  data: Record<string, unknown>
  at: Date
  also?: { feed: string; seq: number }[]
  ends?: { userId?: string }
}

const schema = new Schema<FeedEntryDocument>(
  {
    feed: { type: String, required: true },
    seq: { type: Number, required: true },
    key: { type: String, required: true },
    name: { type: String, required: true },
    data: { type: Schema.Types.Mixed, required: true },
    at: { type: Date, required: true },
    also: { type: [Schema.Types.Mixed], default: undefined },
    ends: { userId: String },
  },
  { versionKey: false, minimize: false },
)

export const FeedEntry = defineModel<FeedEntryDocument>('feeds', 'feedEntries', schema)

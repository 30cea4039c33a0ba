import type { Types } from 'mongoose'
import { field, listOf, maybe, recordOf } from '../../platform/database/fields.js'
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

export const FeedEntry = defineModel<FeedEntryDocument>('feeds', 'feedEntries', {
  feed: field.text,
  seq: field.count,
  key: field.text,
  name: field.text,
  data: field.object,
  at: field.date,
  also: maybe(listOf(recordOf<{ feed: string; seq: number }>({ feed: field.text, seq: field.count }))),
  ends: maybe(recordOf<{ userId?: string }>({ userId: maybe(field.text) })),
})

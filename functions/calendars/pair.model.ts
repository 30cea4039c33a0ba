import { field, listOf } from '../../platform/database/fields.js'
import { defineModel } from '../../platform/database/model.js'

/**
 * What two users ask of each other, and whether they may: changed in the transactions that append, so that no cap is
 * passed and no block is missed, however many come at once. tidyCalendars drops those that say nothing any more.
 */
export interface PairDocument {
  /** The two users, in order: `<id>:<id>`. */
  _id: string
  /** Who of them has blocked the other: a copy, by this entry of their conversation (0: none yet). */
  blockedBy: string[]
  blockNumber: number
  /** By buyer, how many of their invitations wait for the other; and all of these. */
  open: Record<string, number>
  openCount: number
  /** The day (UTC) that `asked` counts, by who asked. */
  day: string
  asked: Record<string, number>
}

export const UserPair = defineModel<PairDocument>('calendars', 'pairs', {
  _id: field.text,
  blockedBy: listOf(field.text),
  blockNumber: field.count,
  open: field.object,
  openCount: field.count,
  day: field.text,
  asked: field.object,
})

import mongoose, { type mongo } from 'mongoose'
import type { BookingLogEntry } from '../../../functions/calendars/bookingLog.model.js'
import { NEW, withSide, type Conversation } from '../../../functions/messages/conversation.rules.js'
import type { MessageLogEntry } from '../../../functions/messages/messageLog.model.js'
import { PARTITIONS, seqOf } from '../../../platform/logs/appendLog.js'
import { long } from '../../../platform/database/long.js'

const { ObjectId } = mongoose.Types

const HOUR_MS = 3_600_000
const BATCH = 5000
/** As many conversations whatever the size of the log: they grow with it, each page stays a page. */
const PAIRS = 50
/** Of ten invitations nine are withdrawn, and those that stay are spread: a month lists a few dozen at any size. */
const KEPT_IN_ALL = 500
const FROM_MS = Date.UTC(2031, 0, 1)
const SPREAD_HOURS = 24 * 365

export const userOf = (n: number) => new ObjectId(n.toString(16).padStart(24, '0'))

/** Entries as commands would have written them, `count` in each log. */
export async function fill(db: mongo.Db, count: number): Promise<void> {
  await insert(db.collection('messageLog'), messageEntries(count))
  await insert(db.collection('bookingLog'), bookingEntries(count))
}

async function insert(collection: mongo.Collection, entries: Iterable<mongo.BSON.Document>): Promise<void> {
  let batch: mongo.BSON.Document[] = []
  const flush = async (): Promise<void> => {
    if (batch.length > 0) await collection.insertMany(batch, { ordered: false, writeConcern: { w: 'majority' } })
    batch = []
  }
  for (const entry of entries) {
    batch.push(entry)
    if (batch.length === BATCH) await flush()
  }
  await flush()
}

const common = (n: number, at: Date) => ({ by: userOf(n), requestId: 'bench', at })

function* messageEntries(count: number): Generator<mongo.BSON.Document> {
  const states: Conversation[] = Array.from({ length: PAIRS }, () => NEW)
  const offsets = Array.from({ length: PARTITIONS }, () => 0)
  const request = { by: 'bench', hash: '' }
  for (let i = 0; i < count; i++) {
    const pair = i % PAIRS
    const number = Math.floor(i / PAIRS) + 1
    const side = number % 2 === 0 ? 0 : 1
    const users = [userOf(2 * pair + 1), userOf(2 * pair + 2)] as const
    const before = states[pair] as Conversation
    const conversation = { ...before, sent: withSide(before.sent, side, before.sent[side] + 1) }
    states[pair] = conversation
    const partition = pair % PARTITIONS
    const offset = (offsets[partition] = (offsets[partition] ?? 0) + 1)
    const messageId = new ObjectId(`a${i.toString(16).padStart(23, '0')}`)
    const message = { messageId, fromUserId: users[side], toUserId: users[1 - side] as never, ordinal: number }
    yield {
      _id: long(seqOf(partition, offset)) as unknown as number,
      stream: users.map((each) => each.toHexString()).join(':'),
      number,
      kind: 'message_sent',
      key: `sent:${messageId.toHexString()}`,
      ...common(2 * pair + 1 + side, new Date(FROM_MS - HOUR_MS + i)),
      conversation,
      message: { ...message, text: `Message ${number} of a conversation that goes on and on` },
      request,
    } satisfies MessageLogEntry
  }
}

/** Invitations, and their withdrawals: two entries each but for those that stay. */
function* bookingEntries(count: number): Generator<mongo.BSON.Document> {
  const offsets = Array.from({ length: PARTITIONS }, () => 0)
  const keepEvery = Math.max(1, Math.floor(count / KEPT_IN_ALL))
  for (let i = 0; i < count; i++) {
    const n = Math.floor(i / 2)
    const [buyer, seller] = [2 * (n % PAIRS) + 1, 2 * (n % PAIRS) + 2]
    const fromMs = FROM_MS + ((n * 7) % SPREAD_HOURS) * HOUR_MS
    const partition = n % PARTITIONS
    const withdrawn = i % 2 === 1
    if (withdrawn && n % keepEvery === 0) continue
    const offset = (offsets[partition] = (offsets[partition] ?? 0) + 1)
    yield {
      _id: long(seqOf(partition, offset)) as unknown as number,
      stream: `b${n.toString(16).padStart(23, '0')}`,
      number: withdrawn ? 2 : 1,
      kind: withdrawn ? 'withdrawn' : 'invited',
      ...common(buyer, new Date(FROM_MS - HOUR_MS + i)),
      invitation: {
        buyerId: userOf(buyer),
        sellerId: userOf(seller),
        from: new Date(fromMs),
        to: new Date(fromMs + HOUR_MS),
        note: 'A booking',
        state: withdrawn ? 'withdrawn' : 'invited',
      },
    } satisfies BookingLogEntry
  }
}

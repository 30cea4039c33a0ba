import type { mongo } from 'mongoose'

/**
 * What the logs say, by a model of its own: it shares no code with the product, reads the raw documents, and keeps
 * everything in memory. Answers what views, feeds and balances must therefore be.
 */

type Doc = mongo.BSON.Document
type Lines = Map<string, string>

export interface Expected {
  violations: string[]
  /** One line an item of a calendar, by user, side, month and invitation. */
  calendars: Lines
  /** One line a conversation and a message, by user. */
  boxes: Lines
  /** By user: the ids of the messages that were sent to them, in the order of each conversation. */
  inboxes: Map<string, Map<string, string[]>>
  /** By user: what confirmed invitations moved. */
  moved: Map<string, number>
  /** The stream of every entry, by log and seq: `bookingLog 17`. */
  seqs: Map<string, string>
  delivered: Set<string>
}

const PARTITION = 2 ** 40
const hex = (id: unknown): string => String(id)
const ms = (date: unknown): number => (date as Date).getTime()

export async function replay(db: mongo.Db): Promise<Expected> {
  const expected: Expected = {
    violations: [],
    calendars: new Map(),
    boxes: new Map(),
    inboxes: new Map(),
    moved: new Map(),
    seqs: new Map(),
    delivered: new Set(),
  }
  replayBookings(await streamsOf(db, 'bookingLog', expected), expected)
  replayMessages(await streamsOf(db, 'messageLog', expected), expected)
  return expected
}

/** The entries of each stream; on the way it checks that nothing is missing, neither in partitions nor in streams. */
async function streamsOf(
  db: mongo.Db,
  collection: string,
  { violations, seqs }: Expected,
): Promise<Map<string, Doc[]>> {
  const streams = new Map<string, Doc[]>()
  const last = new Map<number, number>()
  for await (const entry of db.collection(collection).find().sort({ _id: 1 })) {
    const seq = Number(entry._id)
    const partition = Math.floor(seq / PARTITION)
    if (seq % PARTITION !== (last.get(partition) ?? 0) + 1) violations.push(`${collection}: a gap before ${seq}`)
    last.set(partition, seq % PARTITION)
    seqs.set(`${collection} ${seq}`, String(entry.stream))
    const stream = streams.get(String(entry.stream)) ?? []
    streams.set(String(entry.stream), [...stream, entry])
    if (entry.number !== stream.length + 1)
      violations.push(`${collection}: ${entry.stream} has no ${stream.length + 1}`)
  }
  return streams
}

const NEXT: Record<string, string[]> = {
  '': ['invited'],
  invited: ['rescheduled', 'withdrawn', 'rejected', 'confirmation_started', 'confirmed'],
  confirming: ['confirmation_refused', 'confirmed'],
  confirmed: ['move_proposed', 'move_declined', 'moved', 'cancellation_started', 'cancelled'],
  cancelling: ['cancellation_refused', 'cancelled'],
}

function replayBookings(streams: Map<string, Doc[]>, { violations, calendars, moved }: Expected): void {
  const bySeller = new Map<string, { id: string; from: number; to: number }[]>()
  for (const [id, entries] of streams) {
    let state = ''
    for (const { kind, invitation } of entries as { kind: string; invitation: Doc }[]) {
      if (!NEXT[state]?.includes(kind)) violations.push(`${id}: ${kind} while ${state}`)
      state = String(invitation.state)
    }
    const last = entries.at(-1) as Doc
    const i = last.invitation as Doc
    const [buyer, seller] = [hex(i.buyerId), hex(i.sellerId)]
    if (state === 'confirmed' || state === 'cancelling') {
      bySeller.set(seller, [...(bySeller.get(seller) ?? []), { id, from: ms(i.from), to: ms(i.to) }])
      const price = Number(i.price ?? 0)
      moved.set(buyer, (moved.get(buyer) ?? 0) - price)
      moved.set(seller, (moved.get(seller) ?? 0) + price)
    }
    if (state === 'rejected' || state === 'withdrawn') continue
    const line = JSON.stringify([buyer, seller, ms(i.from), ms(i.to), i.note, i.price ?? null, state, last.number])
    for (const month of monthsOf(ms(i.from), ms(i.to))) {
      calendars.set(`${seller} seller ${month} ${id}`, line)
      calendars.set(`${buyer} buyer ${month} ${id}`, line)
    }
  }
  for (const [seller, confirmed] of bySeller) {
    confirmed.sort((a, b) => a.from - b.from)
    confirmed.forEach((next, i) => {
      const before = confirmed[i - 1]
      if (before && before.to > next.from) violations.push(`${seller}: ${before.id} overlaps ${next.id}`)
    })
  }
}

/** Of every hour in it: periods of the race begin and end on the hour. */
function monthsOf(from: number, to: number): Set<string> {
  const months = new Set<string>()
  for (let at = from; at < to; at += 3_600_000) months.add(new Date(at).toISOString().slice(0, 7))
  return months
}

interface Sent {
  id: string
  from: string
  text: string
  at: number
  deliveredAt: number | null
}

function replayMessages(streams: Map<string, Doc[]>, { violations, boxes, inboxes, delivered }: Expected): void {
  for (const [stream, entries] of streams) {
    const users = stream.split(':') as [string, string]
    const sent: Sent[] = []
    const readUpTo = new Map<string, number>()
    const blocked = new Set<string>()
    for (const entry of entries) {
      const by = hex(entry.by)
      const other = by === users[0] ? users[1] : users[0]
      const message = entry.message as Doc | undefined
      const id = hex(message?.messageId)
      if (entry.kind === 'message_sent') {
        if (blocked.has(by) || blocked.has(other)) violations.push(`${id} was sent past a block`)
        if (hex(message?.fromUserId) !== by || hex(message?.toUserId) !== other) violations.push(`${id} is forged`)
        sent.push({ id, from: by, text: String(message?.text), at: ms(entry.at), deliveredAt: null })
        const inbox = inboxes.get(other) ?? new Map<string, string[]>()
        inbox.set(by, [...(inbox.get(by) ?? []), id])
        inboxes.set(other, inbox)
      } else if (entry.kind === 'message_delivered') {
        const target = sent.find((each) => each.id === id)
        if (!target || target.from === by || target.deliveredAt) violations.push(`${id} was delivered wrongly`)
        else target.deliveredAt = ms(entry.at)
        delivered.add(id)
      } else if (entry.kind === 'message_read') {
        readUpTo.set(by, sent.findIndex((each) => each.id === id) + 1)
      } else if (entry.kind === 'user_blocked') blocked.add(by)
      else blocked.delete(by)
    }
    users.forEach((user, i) => {
      const other = users[1 - i] as string
      const unread = sent.filter((each, n) => each.from === other && n >= (readUpTo.get(user) ?? 0)).length
      boxes.set(`${user} ${other}`, JSON.stringify([sent.length, unread, blocked.has(user), sent.at(-1)?.id ?? null]))
      sent.forEach((each, n) => {
        boxes.set(
          `${user} ${other} ${n + 1}`,
          JSON.stringify([each.id, each.from, each.text, each.at, each.deliveredAt]),
        )
      })
    })
  }
}

/** The views as they stand, in the same lines. */
export async function readViews(db: mongo.Db): Promise<{ calendars: Lines; boxes: Lines; violations: string[] }> {
  const violations: string[] = []
  const calendars: Lines = new Map()
  const boxes: Lines = new Map()
  const progress = await db.collection('projections').find().toArray()
  const generation = (name: string): number => Number(progress.find(({ _id }) => String(_id) === name)?.generation)
  for await (const view of db
    .collection('calendars')
    .find({ generation: generation('calendars') })
    .sort({ _id: 1 })) {
    let before = -Infinity
    for (const item of view.items as Doc[]) {
      if (ms(item.from) < before) violations.push(`${String(view._id)} is out of order`)
      before = ms(item.from)
      const { buyerId, sellerId, note, price, state, version } = item
      calendars.set(
        `${hex(view.userId)} ${view.as} ${view.month} ${hex(item.invitationId)}`,
        JSON.stringify([hex(buyerId), hex(sellerId), ms(item.from), ms(item.to), note, price ?? null, state, version]),
      )
    }
  }
  for await (const view of db
    .collection('messageBoxes')
    .find({ generation: generation('messageBoxes') })
    .sort({ _id: 1 })) {
    const owner = `${hex(view.userId)} ${hex(view.withUserId)}`
    if (view.kind === 'conversation') {
      const last = (view.lastMessage as Doc | undefined)?.messageId as unknown
      boxes.set(owner, JSON.stringify([view.messages, view.unread, view.blocked, last ? hex(last) : null]))
      continue
    }
    for (const item of view.items as Doc[]) {
      const deliveredAt = item.deliveredAt ? ms(item.deliveredAt) : null
      const key = `${owner} ${item.ordinal}`
      if (boxes.has(key)) violations.push(`${key} stands twice`)
      boxes.set(
        key,
        JSON.stringify([hex(item.messageId), hex(item.fromUserId), item.text, ms(item.sentAt), deliveredAt]),
      )
    }
  }
  return { calendars, boxes, violations }
}

/** Where two sets of lines differ, in words; the first few. */
export function differences(name: string, expected: Lines, actual: Lines): string[] {
  const keys = new Set([...expected.keys(), ...actual.keys()])
  return [...keys]
    .filter((key) => expected.get(key) !== actual.get(key))
    .slice(0, 10)
    .map((key) => `${name} ${key}: expected ${expected.get(key) ?? 'nothing'}, found ${actual.get(key) ?? 'nothing'}`)
}

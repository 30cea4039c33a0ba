import mongoose from 'mongoose'
import { bookingLog, type BookingLogEntry } from '../../../functions/calendars/bookingLog.model.js'
import { CalendarHead } from '../../../functions/calendars/calendarHead.model.js'
import cancelInvitation from '../../../functions/calendars/cancelInvitation.js'
import { isSettling } from '../../../functions/calendars/invitation.settlement.js'
import recoverInvitations from '../../../functions/calendars/recoverInvitations.js'
import type { Caller } from '../../../platform/contract/caller.js'
import type { AppendLog } from '../../../platform/logs/appendLog.js'
import type { Context } from '../../../platform/runtime/function.js'
import { plain, type Document } from '../documents.js'
import type { Tools } from '../executor.js'
import { asDriver } from '../standIns/mongoose.js'
import { account, callOver } from '../standIns/payments.js'
import { id, newIdsOf, QUIET, START, type Actor, type Theatre } from '../theatre.js'
import { checkAlways, checkEnding, checkSettled, checkWrite, isOutstanding, outcome } from './books.js'

/**
 * The cancellation of an appointment with a price: the handlers that cancel, settle and recover, over the entries of its
 * stream; what payments promise stands in for these. The code that runs is the product's own.
 *
 * The heads are left out: an entry and what it changes in them are one transaction, so that whether a payment is under
 * way is read from the newest entry here, as recovery reads it from the head.
 */

const { ObjectId } = mongoose.Types

export const IDS = {
  invitation: id('c1'),
  buyer: id('a1'),
  seller: id('a2'),
  admin: id('a3'),
  payment: id('d1'),
  income: id('d2'),
  entry: id('f1'),
}
export const PRICE = 1000

const DUE_AT_ONCE: Context['config']['recovery'] = { stuckAfterMs: -1, intervalMs: 0, lockMs: 0 }

function contextFor(tools: Tools, executor: number, caller: Caller | null): Context {
  const newId = newIdsOf(tools, executor)
  const log = logOver(tools, newId)
  const context = {
    config: { deadlinesMs: { money: 60_000 }, recovery: DUE_AT_ONCE, invitationCancelNoticeMs: 0 },
    now: () => START,
    newId,
    model: (definition: unknown) => (definition === CalendarHead ? headsOver(log) : undefined),
    use: (make: unknown) => (make === bookingLog ? log : undefined),
    call: callOver(tools),
    caller,
    requestId: 'request',
    deadlineAt: Infinity,
    // Enough to go on, too little to wait for others: who asks does that (untilAnswered).
    remainingMs: () => 1,
    log: QUIET,
  }
  return context as unknown as Context
}

type Log = Pick<AppendLog<BookingLogEntry>, 'head' | 'at' | 'append' | 'inTurn'>

const MOST_ENTRIES = 100

/** The log, of which one insert decides. */
function logOver(tools: Tools, newId: () => string): Log {
  const find = async (filter: Record<string, unknown>): Promise<BookingLogEntry[]> => {
    const found = await tools
      .ask<Document[]>({ kind: 'find', collection: 'bookingLog', filter, limit: MOST_ENTRIES })
      .catch(asDriver)
    return found as unknown as BookingLogEntry[]
  }
  return {
    head: async (stream) => (await find({ stream })).toSorted((a, b) => b.number - a.number)[0] ?? null,
    at: async (stream, number) => (await find({ stream, number }))[0] ?? null,
    append: async (_user, entry) => {
      const document = { ...plain(entry), _id: new ObjectId(newId()) }
      const inserted = await tools
        .ask({ kind: 'insert', collection: 'bookingLog', document, durability: 'majority' })
        .catch(asDriver)
      return inserted === 'duplicate' ? 'conflict' : { ...entry, _id: 0 }
    },
    inTurn: (_stream, work) => work(),
  }
}

function headsOver(log: Log) {
  const settling = async () => {
    const newest = await log.head(IDS.invitation)
    if (!newest || !isSettling(newest)) return []
    return [
      { _id: newest.invitation.sellerId, settling: [{ invitationId: new ObjectId(IDS.invitation), since: START }] },
    ]
  }
  const query: { limit(): unknown; lean(): Promise<unknown> } = { limit: () => query, lean: settling }
  // Only when to look again stands there.
  return { find: () => query, updateOne: () => Promise.resolve() }
}

/** Asks again until there is an answer, as clients do. */
async function untilAnswered<T>(tools: Tools, ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      const { name, code } = error as Error & { code?: string }
      if (name !== 'MongoNetworkError' && code !== 'deadline_exceeded') throw error
      await tools.pause()
    }
  }
}

export type Party = 'buyer' | 'seller' | 'admin'

export const cancel =
  (by: Party): Actor =>
  (executor) =>
  (tools) => {
    const context = contextFor(tools, executor, { userId: IDS[by], role: by === 'admin' ? 'admin' : 'user' })
    const input = { invitationId: IDS.invitation, reason: 'ill' }
    return untilAnswered(tools, () => cancelInvitation.handler(context, input))
  }

export const recover = (): Actor => (executor) => (tools) =>
  recoverInvitations.handler(contextFor(tools, executor, null), {})

/** The seller earns so much meanwhile. */
export const earn =
  (amount: number): Actor =>
  () =>
  (tools) =>
    tools
      .ask({
        kind: 'take',
        collection: 'accounts',
        id: new ObjectId(IDS.seller),
        guard: {},
        change: {
          $inc: { balance: amount },
          $push: { ledger: { _id: new ObjectId(IDS.income), cause: 'income', causeId: IDS.income, change: amount } },
        },
      })
      .catch(asDriver)

export const accounts = (seller: number) => [account(IDS.buyer, 0), account(IDS.seller, seller)]

export const APPOINTMENTS: Theatre = {
  // One moment of both: what holds between them is checked at each.
  replicaSets: [['bookingLog', 'accounts']],
  recovery: recover()(9),
  isOutstanding,
  checkAlways,
  checkWrite,
  checkSettled,
  checkEnding,
  outcome,
}

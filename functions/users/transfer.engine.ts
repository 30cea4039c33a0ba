import type { Types } from 'mongoose'
import { long } from '../../platform/database/long.js'
import { failpoint } from '../../platform/lib/failpoints.js'
import type { System } from '../../platform/runtime/system.js'
import { mongoStore } from '../../protocol/mongoStore.js'
import { Unknown, type Change, type Filter, type Landed } from '../../protocol/store.js'
import { DEPOSIT, transferMark, WITHDRAWAL, type TransferKind } from './transfer.kinds.js'
import type { TransferDocument } from './transfer.model.js'
import { User, type TransferMark, type UserDocument } from './user.model.js'

/**
 * Deposits and withdrawals: a protocol with one participant, decided by the user's document.
 *
 * | step   | guard (in the write's own filter)                                           | effect                    |
 * | ------ | --------------------------------------------------------------------------- | ------------------------- |
 * | insert | `_id` free                                                                  | record PENDING            |
 * | apply  | user: mark neither applied nor voided; createdAt not before the mark of     | balance, ledger entry,    |
 * |        | forgetting; the balance allows it                                           | mark in transfers         |
 * | void   | user: mark neither applied nor voided; createdAt not before the mark        | mark in voidedTransfers   |
 * | settle | record PENDING                                                              | record COMMITTED, or      |
 * |        |                                                                             | CANCELLED with its reason |
 * | renew  | record PENDING, createdAt as read                                           | createdAt = now           |
 *
 * Every write waits for majority. An apply or void that matched nothing is judged by a read after it: the mark in
 * transfers means applied, in voidedTransfers refused; in neither, a refused apply goes on to void, and one that is
 * older than the user's mark of forgetting asks the record: final (then the user has forgotten it), or still PENDING.
 * The latter never had an effect, because only final records are forgotten; and none of its writes can ever match
 * again. So a newer createdAt gives it another try.
 *
 * Why it is exactly once: of apply and void, whichever lands first leaves its mark in the same update, and each one's
 * filter excludes both marks; so one of them lands, once, whoever sends them and however late. The record only repeats
 * what the user's document says. Nobody owns a transfer: the request, the same request again and recovery take the same
 * steps, at once if need be. Clocks decide nothing but when recovery looks.
 *
 * | crash after | what is there                    | recovery                                                   |
 * | ----------- | -------------------------------- | ---------------------------------------------------------- |
 * | (before)    | nothing                          | nothing to do                                              |
 * | insert      | PENDING, no mark                 | apply (or void, if the balance does not allow it), settle  |
 * | apply       | PENDING, balance moved, applied  | apply matches nothing, applied is seen: settle COMMITTED   |
 * | void        | PENDING, voided                  | apply matches nothing, voided is seen: settle CANCELLED    |
 * | renew       | PENDING, no mark                 | as after insert                                            |
 * | settle      | final                            | nothing to do                                              |
 *
 * A refusal before the insert stores nothing. After it, an error or a lost reply leaves the outcome unknown, and the
 * caller is told so: retryable, with the id.
 */
export interface TransferProtocol {
  /** Inserts a record, or answers the one that has its id. Rejects with Unknown. */
  open(transfer: TransferDocument): Promise<TransferDocument>
  /** Takes a record to its end, and answers it. Rejects with Unknown. */
  drive(transfer: TransferDocument): Promise<TransferDocument>
  /** Majority read. */
  read(id: Types.ObjectId): Promise<TransferDocument | null>
}

/** For `ctx.use`, by the kind's name. */
export const transferProtocols: Record<TransferKind['name'], (system: System) => TransferProtocol> = {
  deposit: (system) => createProtocol(system, DEPOSIT),
  withdrawal: (system) => createProtocol(system, WITHDRAWAL),
}

type Verdict = 'COMMITTED' | 'CANCELLED' | { forgottenBefore: Date }

function createProtocol(system: System, kind: TransferKind): TransferProtocol {
  const timeoutMs = system.config.deadlinesMs.write
  const records = mongoStore<TransferDocument>(system.model(kind.model).collection, {
    encode: (transfer) => ({ ...transfer, amount: long(transfer.amount) }),
    timeoutMs,
  })
  const users = mongoStore<UserDocument>(system.model(User).collection, {
    projection: { transfers: 1, voidedTransfers: 1, forgottenBefore: 1 },
    timeoutMs,
  })

  async function step<R>(name: string, write: () => Promise<R>): Promise<R> {
    await failpoint(`transfer.${name}.before`)
    const result = await write()
    await failpoint(`transfer.${name}.after`)
    return result
  }

  async function open(transfer: TransferDocument): Promise<TransferDocument> {
    const inserted = await step('insert', () => records.insert(transfer, 'majority'))
    if (inserted === 'inserted') return transfer
    return (await records.read(transfer._id, 'majority')) ?? raiseUnknown('the record with this id is not majority yet')
  }

  async function drive(transfer: TransferDocument): Promise<TransferDocument> {
    let current = transfer
    while (current.state === 'PENDING') {
      const verdict = await decide(current)
      current = await (typeof verdict === 'string' ? settle(current, verdict) : renew(current, verdict.forgottenBefore))
    }
    return current
  }

  async function decide(transfer: TransferDocument): Promise<Verdict> {
    const { amount, _id } = transfer
    const mark = transferMark(kind, _id)
    const at = system.now()
    const change = long(kind.sign * amount)

    const applied = await onUser('apply', transfer, kind.allows(amount), {
      $inc: { balance: change, netDeposits: change },
      $push: { transfers: mark, recentLedger: { at, cause: kind.name, causeId: _id, change } },
      $set: { updatedAt: at },
    })
    if (applied.matched) return 'COMMITTED'
    const known = verdictSeen(transfer, mark, applied.seen)
    if (known) return known

    const voided = await onUser('void', transfer, {}, { $push: { voidedTransfers: mark } })
    if (voided.matched) return 'CANCELLED'
    return verdictSeen(transfer, mark, voided.seen) ?? raiseUnknown('an unmatched void must leave a trace')
  }

  function onUser(
    name: string,
    transfer: TransferDocument,
    guard: Filter,
    change: Change,
  ): Promise<Landed<UserDocument>> {
    const mark = transferMark(kind, transfer._id)
    const unseen = {
      transfers: { $ne: mark },
      voidedTransfers: { $ne: mark },
      forgottenBefore: { $lte: transfer.createdAt },
    }
    return step(name, () =>
      users.update(`${kind.name}.${name}`, { id: transfer.userId, guard: { ...unseen, ...guard }, change }, 'majority'),
    )
  }

  async function settle(transfer: TransferDocument, state: 'COMMITTED' | 'CANCELLED'): Promise<TransferDocument> {
    return onRecord(
      'settle',
      transfer,
      {},
      {
        state,
        ...(state === 'CANCELLED' && { reason: kind.refusal.code }),
      },
    )
  }

  /** Not before the mark that it was too old for, whatever this host's clock says. */
  function renew(transfer: TransferDocument, forgottenBefore: Date): Promise<TransferDocument> {
    const createdAt = new Date(Math.max(system.now().getTime(), forgottenBefore.getTime()))
    return onRecord('renew', transfer, { createdAt: transfer.createdAt }, { createdAt })
  }

  /** Changes a PENDING record, and answers it as it then is, whoever changed it. */
  async function onRecord(
    name: string,
    transfer: TransferDocument,
    guard: Filter,
    fields: Partial<TransferDocument>,
  ): Promise<TransferDocument> {
    const set = { ...fields, lastModified: system.now() }
    const landed = await step(name, () =>
      records.update(
        name,
        { id: transfer._id, guard: { state: 'PENDING', ...guard }, change: { $set: set } },
        'majority',
      ),
    )
    if (landed.matched) return { ...transfer, ...set }
    return landed.seen ?? raiseUnknown('the record is not majority yet')
  }

  return { open, drive, read: (id) => records.read(id, 'majority') }
}

/** What an unmatched write on the user means, by what a read after it saw; undefined: the balance did not allow it. */
function verdictSeen(transfer: TransferDocument, mark: TransferMark, seen: UserDocument | null): Verdict | undefined {
  if (!seen) throw new Error(`The user ${transfer.userId.toHexString()} of ${mark} is gone`)
  if (seen.transfers.includes(mark)) return 'COMMITTED'
  if (seen.voidedTransfers.includes(mark)) return 'CANCELLED'
  return transfer.createdAt < seen.forgottenBefore ? seen : undefined
}

function raiseUnknown(why: string): never {
  throw new Unknown(why)
}

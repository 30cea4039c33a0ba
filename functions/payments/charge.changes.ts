import mongoose from 'mongoose'
import { Refusal } from '../../platform/contract/errors.js'
import { withEvents } from '../../platform/events/events.js'
import type { Context } from '../../platform/runtime/function.js'
import { failpoint } from '../../platform/lib/failpoints.js'
import type { Alert } from './charge.news.js'
import { Charge, type ChargeDocument, type RefundDocument } from './charge.model.js'
import { presentCharge } from './charge.presenter.js'
import { CHARGE_TRANSITIONS, REFUND_TRANSITIONS, SELLER_TRANSITIONS, type ChargeState } from './charge.states.js'
import { emits } from './contract.js'
import { needsAdmin, needsDriving } from './refund.rules.js'

/**
 * The writers of charges and of their refunds. Each write is a compare-and-set on the charge's revision, majority,
 * with the event in its transaction where others are told. So what a write leaves is computed from exactly what it found:
 * the amounts of the refunds that stand and `left` always add up to what was received, whoever writes and whoever crashes.
 */

/** Rounds of a compare-and-set that others win: each of them is a step that somebody took. */
const ATTEMPTS = 20

/** The events that tell of a charge's coming to a state. */
const TOLD_AS: Partial<Record<ChargeState, EventType>> = { paid: 'charge:created', refunded: 'charge:refunded' }

type EventType = keyof (typeof emits)['types']

interface Write {
  point: string
  set: Partial<ChargeDocument>
  /** The event; absent: nobody is told. */
  type?: EventType | undefined
  /** Admins are told of it too. */
  alert?: Alert | undefined
}

/**
 * Writes what `decide` makes of the charge as it stands, and again where somebody was faster. Null: there is nothing to
 * write any more. Answers the charge as it then is.
 */
async function write(
  ctx: Context,
  charge: ChargeDocument,
  decide: (current: ChargeDocument) => Write | null,
): Promise<ChargeDocument> {
  let current = charge
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const decided = decide(current)
    if (!decided) return current
    await failpoint(`${decided.point}.before`)
    const written = await writeOnce(ctx, current, decided)
    await failpoint(`${decided.point}.after`)
    if (written) return written
    current = await readCharge(ctx, charge)
  }
  throw new Refusal('unavailable', 'Others are changing the charge.')
}

async function writeOnce(
  ctx: Context,
  from: ChargeDocument,
  { set, type, alert: told }: Write,
): Promise<ChargeDocument | null> {
  const at = ctx.now()
  // Whatever moved is no longer failing.
  const next: ChargeDocument = { ...from, failures: 0, parked: false, ...set }
  const dueAt =
    needsDriving(next) && !next.parked ? new Date(at.getTime() + ctx.config.recovery.stuckAfterMs) : undefined
  const { failures, parked } = next
  const derived = { failures, parked, attention: needsAdmin(next), lastModified: at }
  const change = {
    $set: { ...set, ...derived, ...(dueAt && { dueAt }) },
    ...(!dueAt && { $unset: { dueAt: 1 } }),
    $inc: { revision: 1, ...(type !== undefined && { version: 1 }) },
  }
  const filter = { _id: from._id, revision: from.revision }
  const model = ctx.model(Charge)
  if (type === undefined) return model.findOneAndUpdate(filter, change, { returnDocument: 'after' }).lean()
  return withEvents(ctx, emits, async (tx) => {
    const options = { session: tx.session, returnDocument: 'after' } as const
    const written = await model.findOneAndUpdate(filter, change, options).lean()
    if (written) {
      const aggregate = { type: 'charge', id: written._id }
      const payload = { ...presentCharge(written), ...(told && { alert: told }) }
      tx.emit({ type, aggregate, version: written.version, payload })
    }
    return written
  })
}

/** Moves a charge from the state in which it was read along the table of transitions, unless somebody else has. */
export const moveCharge = (
  ctx: Context,
  from: ChargeDocument,
  { to, set, alert: told }: { to: ChargeState; set?: Partial<ChargeDocument>; alert?: Alert },
): Promise<ChargeDocument> => {
  if (!CHARGE_TRANSITIONS[from.state].includes(to)) throw new Error(`A charge never goes from ${from.state} to ${to}`)
  const type = TOLD_AS[to] ?? (told && 'charge:updated')
  return write(ctx, from, (current) =>
    current.state === from.state ? { point: `charge.${to}`, set: { ...set, state: to }, type, alert: told } : null,
  )
}

/** Whether Stripe knows of something that is not in the charge. */
export const markSeen = (ctx: Context, charge: ChargeDocument, { unseen }: { unseen: boolean }) =>
  write(ctx, charge, (current) => (current.unseen === unseen ? null : { point: 'charge.seen', set: { unseen } }))

/** Recovery has given up on it: an admin must look. */
export const parkCharge = (ctx: Context, charge: ChargeDocument, told: Alert): Promise<ChargeDocument> =>
  write(ctx, charge, (current) =>
    current.revision === charge.revision
      ? { point: 'charge.parked', set: { parked: true }, type: 'charge:updated', alert: told }
      : null,
  )

/** A refund that does not stand yet. */
export type NewRefund = Pick<RefundDocument, 'amount' | 'origin' | 'via' | 'state' | 'seller' | 'reason'> &
  Partial<Pick<RefundDocument, '_id' | 'stripeId' | 'stripeStatus' | 'request'>> & { alert?: Alert }

/**
 * Registers a refund and takes its amount out of what is left, in one write: no two refunds ever share a cent. `make` says
 * which, of the charge as it stands at that write; null: none.
 */
export const addRefund = (
  ctx: Context,
  charge: ChargeDocument,
  make: (current: ChargeDocument) => NewRefund | null,
): Promise<ChargeDocument> =>
  write(ctx, charge, (current) => {
    const made = make(current)
    if (!made) return null
    const { alert: told, ...refund } = made
    const refunds = [...current.refunds, registered(ctx, refund)]
    const set = { left: current.left - refund.amount, refunds }
    return { point: 'refund.added', set, type: 'charge:updated', alert: told }
  })

interface RefundChange extends Partial<
  Pick<RefundDocument, 'state' | 'seller' | 'reason' | 'via' | 'attempt' | 'stripeId' | 'stripeStatus' | 'debitId'>
> {
  /** Stripe knows of something that is not in here: whoever drives the charge on looks. */
  unseen?: boolean
  alert?: Alert
}

/** Moves a refund along its two tables, unless somebody else has. A rejected one gives its amount back to what is left. */
export const moveRefund = (
  ctx: Context,
  charge: ChargeDocument,
  from: RefundDocument,
  { alert: told, unseen = false, ...change }: RefundChange,
): Promise<ChargeDocument> => {
  const { state = from.state, seller = from.seller } = change
  if (state !== from.state && !REFUND_TRANSITIONS[from.state].includes(state))
    throw new Error(`A refund never goes from ${from.state} to ${state}`)
  if (seller !== from.seller && !SELLER_TRANSITIONS[from.seller].includes(seller))
    throw new Error(`The seller's part of a refund never goes from ${from.seller} to ${seller}`)
  return write(ctx, charge, (current) => {
    const now = current.refunds.find(({ _id }) => _id.equals(from._id))
    if (now?.state !== from.state || now.seller !== from.seller || now.attempt !== from.attempt) return null
    const isGivenUp = state === 'rejected' && from.state !== 'rejected'
    const moved = { ...now, ...change, lastModified: ctx.now() }
    return {
      point: `refund.${state === from.state ? seller : state}`,
      set: {
        ...(unseen && { unseen }),
        left: current.left + (isGivenUp ? now.amount : 0),
        refunds: current.refunds.map((each) => (each === now ? moved : each)),
      },
      // The buyer hears what becomes of the money, not of the seller's part.
      type: state !== from.state || told ? 'charge:updated' : undefined,
      alert: told,
    }
  })
}

function registered(ctx: Context, refund: Omit<NewRefund, 'alert'>): RefundDocument {
  const at = ctx.now()
  const newId = () => new mongoose.Types.ObjectId(ctx.newId())
  return {
    _id: newId(),
    debitId: newId(),
    creditId: newId(),
    payoutId: newId(),
    attempt: 1,
    createdAt: at,
    lastModified: at,
    ...refund,
  }
}

/** The charge, if the caller may see it: others' charges are not found, so that ids tell nothing. */
export async function visibleCharge(ctx: Context, chargeId: string): Promise<ChargeDocument> {
  const found = await ctx.model(Charge).findById(chargeId).lean()
  if (!found || (ctx.caller?.role === 'user' && !found.userId.equals(ctx.caller.userId))) {
    throw new Refusal('charge_not_found', `There is no charge ${chargeId}.`)
  }
  return found
}

/** As it is now. Linearizable: whoever lost a compare-and-set must see what won it. */
export const readCharge = (ctx: Context, { _id }: Pick<ChargeDocument, '_id'>): Promise<ChargeDocument> =>
  ctx.model(Charge).findById(_id).readConcern('linearizable').orFail().lean()

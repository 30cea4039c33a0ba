import mongoose from 'mongoose'
import { Refusal } from '../../platform/contract/errors.js'
import { define, type Context } from '../../platform/runtime/function.js'
import { bookingLog, type BookingLogEntry, type Invitation } from './bookingLog.model.js'
import { freeing, settling } from './calendarHead.changes.js'
import { calendars } from './contract.js'
import { assertConfirmed, changeInvitation, partyOf, type InvitationChange } from './invitation.changes.js'
import { presentInvitation } from './invitation.presenter.js'
import { settle } from './invitation.settlement.js'

const { ObjectId } = mongoose.Types

export default define(calendars.cancelInvitation, async (ctx, { invitationId, reason, version }) => {
  const decide = (current: BookingLogEntry): InvitationChange | null => {
    // Sent twice, or wished by both: what the first one began is the answer to all.
    if (current.kind === 'cancellation_started' || current.kind === 'cancelled') return null
    const cancelledBy = partyOf(ctx, current)
    assertConfirmed(current, version)
    if (cancelledBy !== 'admin') assertInTime(ctx, current)
    const id = new ObjectId(invitationId)
    const appointment = { ...withoutProposal(current.invitation), reason, cancelledBy }
    return appointment.price
      ? {
          kind: 'cancellation_started',
          invitation: { ...appointment, state: 'cancelling', refundId: new ObjectId(ctx.newId()) },
          heads: [settling(id, appointment, ctx.now())],
        }
      : { kind: 'cancelled', invitation: { ...appointment, state: 'cancelled' }, heads: [freeing(id, appointment)] }
  }
  return presentInvitation(await outcomeOf(ctx, await changeInvitation(ctx, invitationId, decide)))
})

const withoutProposal = ({ proposal: _proposal, ...invitation }: Invitation): Invitation => invitation

function assertInTime(ctx: Context, { invitation: { from } }: BookingLogEntry): void {
  const until = new Date(from.getTime() - ctx.config.invitationCancelNoticeMs)
  if (ctx.now() <= until && ctx.now() < from) return
  throw new Refusal('cancellation_too_late', 'It begins too soon to be cancelled.', { until: until.toISOString() })
}

/** How a cancellation ended; whoever finds it unfinished finishes it. */
async function outcomeOf(ctx: Context, cancellation: BookingLogEntry): Promise<BookingLogEntry> {
  if (cancellation.kind === 'cancelled') return cancellation
  const ended =
    (await ctx.use(bookingLog).at(cancellation.stream, cancellation.number + 1)) ?? (await settle(ctx, cancellation))
  if (ended.kind === 'cancelled') return ended
  const insufficient = ended.invitation.reason === 'insufficient_funds'
  throw new Refusal(
    insufficient ? 'insufficient_funds' : 'payment_cancelled',
    insufficient
      ? "The seller's balance does not cover the price: the appointment stands."
      : 'The payment was cancelled before it was decided: the appointment stands.',
  )
}

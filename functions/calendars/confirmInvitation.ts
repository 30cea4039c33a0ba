import mongoose from 'mongoose'
import { Refusal } from '../../platform/contract/errors.js'
import { define, type Context } from '../../platform/runtime/function.js'
import { isSameRequest, requestOf } from '../../platform/runtime/requests.js'
import { bookingLog, type BookingLogEntry } from './bookingLog.model.js'
import { holding, settling } from './calendarHead.changes.js'
import { calendars } from './contract.js'
import { assertAhead, assertOpen, assertSeller, changeInvitation, type InvitationChange } from './invitation.changes.js'
import { settle } from './invitation.settlement.js'
import { presentInvitation } from './invitation.presenter.js'

const { ObjectId } = mongoose.Types

export default define(calendars.confirmInvitation, async (ctx, input) => {
  const { invitationId, confirmationId, version } = input
  const key = `confirm:${confirmationId}`
  const request = requestOf(ctx, input)

  const decide = (current: BookingLogEntry): InvitationChange => {
    const { invitation } = current
    assertSeller(ctx, current)
    assertOpen(current, version)
    assertAhead(ctx, invitation.from)
    const id = new ObjectId(invitationId)
    // A reason is that of an earlier confirmation that was refused.
    const { buyerId, sellerId, from, to, note, price } = invitation
    const confirmation = {
      buyerId,
      sellerId,
      from,
      to,
      note,
      ...(price !== undefined && { price }),
      confirmationId: new ObjectId(confirmationId),
    }
    return price
      ? {
          kind: 'confirmation_started',
          invitation: { ...confirmation, state: 'confirming', paymentId: new ObjectId(ctx.newId()) },
          heads: [holding(id, invitation), settling(id, invitation, ctx.now())],
          key,
          request,
        }
      : {
          kind: 'confirmed',
          invitation: { ...confirmation, state: 'confirmed' },
          heads: [holding(id, invitation)],
          key,
          request,
        }
  }

  const confirmation = await changeInvitation(ctx, invitationId, decide).catch(async (error: unknown) => {
    // What no longer holds may have held when the same request came first: its outcome stands.
    const earlier = error instanceof Refusal ? await ctx.use(bookingLog).byKey(key) : null
    if (!earlier) throw error
    if (earlier.request && isSameRequest(earlier.request, request)) return earlier
    throw new Refusal(
      'confirmation_id_reused',
      'This confirmationId was sent before by another caller or for another invitation.',
    )
  })
  return presentInvitation(await outcomeOf(ctx, confirmation))
})

/** How a confirmation ended; whoever finds it unfinished finishes it. */
async function outcomeOf(ctx: Context, confirmation: BookingLogEntry): Promise<BookingLogEntry> {
  if (confirmation.kind === 'confirmed') return confirmation
  const ended =
    (await ctx.use(bookingLog).at(confirmation.stream, confirmation.number + 1)) ?? (await settle(ctx, confirmation))
  if (ended.kind === 'confirmed') return ended
  const insufficient = ended.invitation.reason === 'insufficient_funds'
  throw new Refusal(
    insufficient ? 'insufficient_funds' : 'payment_cancelled',
    insufficient ? "The buyer's balance does not cover the price." : 'The payment was cancelled before it was decided.',
  )
}

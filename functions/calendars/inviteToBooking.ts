import mongoose from 'mongoose'
import { Refusal } from '../../platform/contract/errors.js'
import { define, type Context } from '../../platform/runtime/function.js'
import { invalidInput } from '../../platform/runtime/invocation.js'
import { isSameRequest, requestOf, type RequestMark } from '../../platform/runtime/requests.js'
import { bookingLog, type BookingLogEntry, type Invitation } from './bookingLog.model.js'
import { ensureHeads, listing } from './calendarHead.changes.js'
import { calendars } from './contract.js'
import { appendAfter, assertAhead, pause } from './invitation.changes.js'
import { presentInvitation } from './invitation.presenter.js'

const { ObjectId } = mongoose.Types

export default define(calendars.inviteToBooking, async (ctx, input) => {
  const { invitationId, sellerId, note, price } = input
  if (!ctx.caller) throw new Refusal('forbidden', 'Only users invite.')
  if (sellerId === ctx.caller.userId) {
    throw invalidInput({ issues: [{ path: ['sellerId'], message: 'must be somebody else' }] })
  }
  const request = requestOf(ctx, input)
  const invitation: Invitation = {
    buyerId: new ObjectId(ctx.caller.userId),
    sellerId: new ObjectId(sellerId),
    from: new Date(input.from),
    to: new Date(input.to),
    note,
    ...(price !== undefined && { price }),
    state: 'invited',
  }

  try {
    assertAhead(ctx, invitation.from)
    await ensureHeads(ctx, [sellerId, ctx.caller.userId])
    const heads = listing(invitation, { after: invitation })
    const appended = await appendAfter(ctx, invitationId, null, {
      kind: 'invited',
      invitation,
      request,
      heads,
      asks: true,
    })
    if (appended !== 'conflict') return presentInvitation(appended)
  } catch (error) {
    // What no longer holds may have held when the same request came first: its outcome stands.
    const earlier = error instanceof Refusal ? await ctx.use(bookingLog).at(invitationId, 1) : null
    if (!earlier) throw error
    return presentInvitation(sameRequest(earlier, request))
  }
  return presentInvitation(sameRequest(await firstEntry(ctx, invitationId), request))
})

async function firstEntry(ctx: Context, invitationId: string): Promise<BookingLogEntry> {
  for (;;) {
    const first = await ctx.use(bookingLog).at(invitationId, 1)
    if (first) return first
    await pause(ctx, 5)
  }
}

function sameRequest(earlier: BookingLogEntry, request: RequestMark): BookingLogEntry {
  if (earlier.request && isSameRequest(earlier.request, request)) return earlier
  throw new Refusal(
    'invitation_id_reused',
    'This invitationId was sent before with another input or by another caller.',
  )
}

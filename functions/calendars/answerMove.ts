import mongoose from 'mongoose'
import { Refusal } from '../../platform/contract/errors.js'
import { define } from '../../platform/runtime/function.js'
import { freeing, holding, listing } from './calendarHead.changes.js'
import { calendars } from './contract.js'
import { assertAhead, assertConfirmed, changeInvitation, partyOf } from './invitation.changes.js'
import { presentInvitation } from './invitation.presenter.js'

export default define(calendars.answerMove, async (ctx, { invitationId, accept, version }) => {
  const answered = await changeInvitation(ctx, invitationId, (current) => {
    const { proposal, ...invitation } = current.invitation
    const by = partyOf(ctx, current)
    assertConfirmed(current, version)
    if (!proposal) throw new Refusal('move_not_proposed', 'No other period is proposed.')
    if (by === 'admin') throw new Refusal('forbidden', 'That is for the buyer or the seller to do.')
    if (!accept) return { kind: 'move_declined', invitation, heads: [] }
    if (by === proposal.by) throw new Refusal('forbidden', 'That is for the other side to accept.')
    assertAhead(ctx, invitation.from)
    assertAhead(ctx, proposal.from)
    const { from, to } = proposal
    const moved = { ...invitation, from, to }
    const id = new mongoose.Types.ObjectId(invitationId)
    return {
      kind: 'moved',
      invitation: moved,
      previous: { from: invitation.from, to: invitation.to },
      // In one transaction: its own period is no obstacle, and is not lost where another one is.
      heads: [
        freeing(id, invitation),
        holding(id, moved),
        ...listing(invitation, { before: invitation, after: moved }),
      ],
    }
  })
  return presentInvitation(answered)
})

import { Refusal } from '../../platform/contract/errors.js'
import { define } from '../../platform/runtime/function.js'
import { calendars } from './contract.js'
import { assertAhead, assertConfirmed, changeInvitation, partyOf } from './invitation.changes.js'
import { presentInvitation } from './invitation.presenter.js'

export default define(calendars.proposeMove, async (ctx, { invitationId, version, ...input }) => {
  const period = { from: new Date(input.from), to: new Date(input.to) }
  const proposed = await changeInvitation(ctx, invitationId, (current) => {
    const { invitation } = current
    const by = partyOf(ctx, current)
    if (by === 'admin') throw new Refusal('forbidden', 'That is for the buyer or the seller to do.')
    assertConfirmed(current, version)
    // Neither what has begun moves, nor does anything move to where it would have begun.
    assertAhead(ctx, invitation.from)
    assertAhead(ctx, period.from)
    // Nothing is held for a proposal: whether the seller is free then is decided when the other side consents.
    return { kind: 'move_proposed', invitation: { ...invitation, proposal: { by, ...period } }, heads: [], asks: true }
  })
  return presentInvitation(proposed)
})

import { define } from '../../platform/runtime/function.js'
import { listing } from './calendarHead.changes.js'
import { calendars } from './contract.js'
import { assertOpen, assertSeller, changeInvitation } from './invitation.changes.js'
import { presentInvitation } from './invitation.presenter.js'

export default define(calendars.rejectInvitation, async (ctx, { invitationId, reason, version }) => {
  const rejected = await changeInvitation(ctx, invitationId, (current) => {
    const { invitation } = current
    assertSeller(ctx, current)
    assertOpen(current, version)
    return {
      kind: 'rejected',
      invitation: { ...invitation, state: 'rejected', reason },
      heads: listing(invitation, { before: invitation }),
    }
  })
  return presentInvitation(rejected)
})

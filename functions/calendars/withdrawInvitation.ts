import { define } from '../../platform/runtime/function.js'
import { listing } from './calendarHead.changes.js'
import { calendars } from './contract.js'
import { assertBuyer, assertOpen, changeInvitation } from './invitation.changes.js'
import { presentInvitation } from './invitation.presenter.js'

export default define(calendars.withdrawInvitation, async (ctx, { invitationId, version }) => {
  const withdrawn = await changeInvitation(ctx, invitationId, (current) => {
    const { invitation } = current
    assertBuyer(ctx, current)
    assertOpen(current, version)
    return {
      kind: 'withdrawn',
      invitation: { ...invitation, state: 'withdrawn' },
      heads: listing(invitation, { before: invitation }),
    }
  })
  return presentInvitation(withdrawn)
})

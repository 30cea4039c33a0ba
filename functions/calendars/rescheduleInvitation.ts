import { define } from '../../platform/runtime/function.js'
import { listing } from './calendarHead.changes.js'
import { calendars } from './contract.js'
import { assertAhead, assertBuyer, assertOpen, changeInvitation } from './invitation.changes.js'
import { presentInvitation } from './invitation.presenter.js'

export default define(calendars.rescheduleInvitation, async (ctx, { invitationId, version, ...input }) => {
  const period = { from: new Date(input.from), to: new Date(input.to) }
  const rescheduled = await changeInvitation(ctx, invitationId, (current) => {
    const { invitation } = current
    assertBuyer(ctx, current)
    assertOpen(current, version)
    assertAhead(ctx, period.from)
    return {
      kind: 'rescheduled',
      invitation: { ...invitation, ...period },
      previous: { from: invitation.from, to: invitation.to },
      heads: listing(invitation, { before: invitation, after: period }),
      asks: true,
    }
  })
  return presentInvitation(rescheduled)
})

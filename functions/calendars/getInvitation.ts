import { define } from '../../platform/runtime/function.js'
import { calendars } from './contract.js'
import { visibleInvitation } from './invitation.changes.js'
import { presentInvitation } from './invitation.presenter.js'

export default define(calendars.getInvitation, async (ctx, { invitationId }) =>
  presentInvitation(await visibleInvitation(ctx, invitationId)),
)

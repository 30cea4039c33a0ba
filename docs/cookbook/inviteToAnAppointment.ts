import type { Kitchen } from './kitchen.js'

/** Invite somebody to an appointment with a price: confirming it pays it. */
export default async function ({ ada, bob }: Kitchen): Promise<void> {
  const hour = { from: new Date('2031-05-06T10:00Z'), to: new Date('2031-05-06T11:00Z') }
  const invited = await ada.holdfast.inviteToBooking({
    sellerId: bob.user.id,
    ...hour,
    note: 'Piano lesson',
    price: 3000,
  })
  console.log(invited.state) // invited

  const confirmed = await bob.holdfast.confirmInvitation({ invitationId: invited.id })
  // Calendars are views that follow a log: with `after` the answer shows at least so much.
  const day = { from: new Date('2031-05-06T00:00Z'), to: new Date('2031-05-07T00:00Z') }
  const { items } = await bob.holdfast.getCalendar({ ...day, as: 'seller', after: confirmed.seq })
  console.log(items.map(({ note, state }) => `${note}: ${state}`).join()) // Piano lesson: confirmed

  const cancelled = await bob.holdfast.cancelInvitation({ invitationId: invited.id, reason: 'I am ill' })
  console.log(cancelled.state, cancelled.cancelledBy) // cancelled seller
}

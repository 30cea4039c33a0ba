import type { UserNews } from '../feeds/contract.js'
import type { BookingLogEntry } from './bookingLog.model.js'
import type { CalendarSide } from './calendar.model.js'
import type { news } from './contract.js'
import { presentInvitation } from './invitation.presenter.js'

/** Both sides hear how the invitation stands, and that their calendar changed: `after` is for reading it. */
export function calendarNews(entry: BookingLogEntry): UserNews<typeof news>[] {
  const { seq: after, ...shown } = presentInvitation(entry)
  const { previous, invitation } = entry
  const sides: [CalendarSide, string][] = [
    ['buyer', shown.buyerId],
    ['seller', shown.sellerId],
  ]
  const from = previous && previous.from < invitation.from ? previous.from : invitation.from
  const to = previous && previous.to > invitation.to ? previous.to : invitation.to
  return sides.flatMap(([as, userId]): UserNews<typeof news>[] => [
    { userId, name: 'invitation:updated', data: { ...shown, after } },
    {
      userId,
      name: 'calendar:updated',
      data: { as, invitationId: shown.id, from: from.toISOString(), to: to.toISOString(), after },
    },
  ])
}

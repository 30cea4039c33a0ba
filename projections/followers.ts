import { BookingLog, bookingLog } from '../functions/calendars/bookingLog.model.js'
import { calendarNews } from '../functions/calendars/calendar.news.js'
import { calendars } from '../functions/calendars/contract.js'
import { calendarProjection } from '../functions/calendars/calendar.projection.js'
import { blockAfter, messageNews, saysBlock } from '../functions/messages/message.news.js'
import { messageBoxProjection } from '../functions/messages/messageBox.projection.js'
import { MessageLog, messageLog } from '../functions/messages/messageLog.model.js'
import type { Projection } from '../platform/logs/projection.js'
import type { System } from '../platform/runtime/system.js'
import { createFeedFollower, type ProjectionFollower } from './follower.js'

/** Every view that is built from a log. */
export const projectionsOf = (system: System): Projection[] =>
  [system.use(calendarProjection), system.use(messageBoxProjection)] as unknown as Projection[]

export const DOMAINS = ['calendars', 'messages'] as const

/** Everything that follows a log: views, and what users' sockets are told. */
export function followersOf(system: System): ProjectionFollower[] {
  const logs = new Map([
    ['calendars', BookingLog.collection],
    ['messages', MessageLog.collection],
  ])
  return [
    ...projectionsOf(system).map(({ name, spec, advance }) => ({
      name,
      domain: spec.view.domain,
      log: logs.get(spec.view.domain) as string,
      advance: () => advance(),
    })),
    createFeedFollower(system, {
      domain: 'calendars',
      collection: BookingLog.collection,
      log: system.use(bookingLog),
      news: calendarNews,
    }),
    createFeedFollower(system, {
      domain: 'messages',
      collection: MessageLog.collection,
      log: system.use(messageLog),
      news: messageNews,
      forward: async (entry) => {
        if (saysBlock(entry))
          await system.call(calendars.copyBlock, blockAfter(entry), { caller: null, requestId: system.newId() })
      },
    }),
  ]
}

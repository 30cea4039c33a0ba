import type { Context } from '../../platform/runtime/function.js'
import { Refusal } from '../../platform/contract/errors.js'
import type { StoredEvent } from '../../platform/events/events.js'
import { feeds } from '../feeds/contract.js'
import { users } from '../users/contract.js'
import { presentDeadEvent } from './event.presenter.js'

const WEBHOOK_TIMEOUT_MS = 3000

/**
 * Tells people of a dead letter: the admins over their sockets, and whoever listens at ALERT_WEBHOOK_URL. What the entity
 * holds stays out of it: an alert goes further than an admin's session. Rejects where not all could be told.
 */
export async function deadAlert(ctx: Context, event: StoredEvent): Promise<void> {
  const { eventId, type, aggregate, version, failures, createdAt, deadAt } = presentDeadEvent(event)
  const data = { eventId, type, aggregate, version, failures: failures.slice(-1).map(withoutCause), createdAt, deadAt }
  const news = { key: `event:dead ${eventId} ${deadAt}`, name: 'event:dead', data, at: deadAt }
  await tellAdmins(ctx, news)
}

/** The cause may tell what the entity holds. */
const withoutCause = ({ cause, ...failure }: ReturnType<typeof presentDeadEvent>['failures'][number]) => {
  void cause
  return failure
}

/** Refuses, `unavailable`, where not all could be told; then everybody is told again, and sockets know it by its key. */
export async function tellAdmins(
  ctx: Context,
  news: { key: string; name: string; data: Record<string, unknown>; at: string },
): Promise<void> {
  try {
    const { userIds } = await ctx.call(users.listAdminIds, {})
    await Promise.all([
      ...userIds.map((id) => ctx.call(feeds.appendToFeed, { feed: `user:${id}`, entries: [news] })),
      post(ctx.config.alertWebhookUrl, { event: news.name, ...news.data }),
    ])
  } catch (error) {
    throw new Refusal('unavailable', 'Not everybody could be told.', undefined, { cause: error })
  }
}

async function post(url: string, body: object): Promise<void> {
  if (!url) return
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(WEBHOOK_TIMEOUT_MS),
  })
  if (!response.ok) throw new Error(`The alert webhook answered ${response.status}`)
}

import { LRUCache } from 'lru-cache'
import type { Context } from '../../platform/runtime/function.js'
import type { System } from '../../platform/runtime/system.js'
import { Refusal } from '../../platform/contract/errors.js'
import type { StoredEvent } from '../../platform/events/events.js'
import { feeds } from '../feeds/contract.js'
import { users } from '../users/contract.js'
import { presentDeadEvent } from './event.presenter.js'

const WEBHOOK_TIMEOUT_MS = 3000
const MAX_TOLD = 1000

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

interface AdminNews {
  key: string
  name: string
  data: Record<string, unknown>
  at: string
}

/**
 * Refuses, `unavailable`, where not all could be told; then everybody is told again: sockets know it by its key, the
 * webhook is told once. That one does not wait for the others, whose databases may be what is in trouble.
 */
export async function tellAdmins(ctx: Context, news: AdminNews): Promise<void> {
  const outcomes = await Promise.allSettled([tellSockets(ctx, news), ctx.use(createWebhook)(news)])
  const failed = outcomes.find((each) => each.status === 'rejected')
  if (failed) throw new Refusal('unavailable', 'Not everybody could be told.', undefined, { cause: failed.reason })
}

async function tellSockets(ctx: Context, news: AdminNews): Promise<void> {
  const { userIds } = await ctx.call(users.listAdminIds, {})
  await Promise.all(userIds.map((id) => ctx.call(feeds.appendToFeed, { feed: `user:${id}`, entries: [news] })))
}

/** What was told is kept in this process alone: a restart may tell it once more. */
function createWebhook({ config }: Pick<System, 'config'>): (news: AdminNews) => Promise<void> {
  const told = new LRUCache<string, true>({ max: MAX_TOLD })
  return async ({ key, name, data }) => {
    if (told.has(key)) return
    await post(config.alertWebhookUrl, { event: name, ...data })
    told.set(key, true)
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

import { z } from 'zod'
import { backlogOperation } from '../../platform/contract/backlog.js'
import { defineContract, operation, subscriber } from '../../platform/contract/contract.js'
import { defineNews } from '../../platform/contract/news.js'
import { id, listOf, page, time, version } from '../../platform/contract/types.js'

/** An attempt at a delivery; the subscriber's log has all of it under the requestId. */
const failure = z.object({
  at: time,
  subscriber: z.string(),
  code: z.string(),
  message: z.string(),
  requestId: z.string(),
})

/** An event that could not be delivered, as admins see it. A failure's `cause` is what it really came of. */
export const deadEvent = z.object({
  eventId: id,
  type: z.string(),
  aggregate: z.object({ type: z.string(), id }),
  version,
  payload: z.record(z.string(), z.unknown()),
  /** Every attempt that failed, oldest first. */
  failures: z.array(failure.extend({ cause: z.string().optional() })),
  createdAt: time,
  deadAt: time,
})

/** What admins are to be told of an entity: an event of its change carries it in its payload, as `alert`. */
export const adminAlert = z.object({
  /** `<entity>:<what is the matter>`: `refund:failed`. */
  name: z.string(),
  /** For people: who owes whom, and what ends it. */
  message: z.string(),
  chargeId: id,
  refundId: id.optional(),
  amount: z.int(),
})

/** Something that a person should look at. */
export const trouble = z.object({
  /** What is in trouble: `bookings: bookings`, as getStatus names its checks. */
  about: z.string(),
  /** For people. */
  message: z.string(),
  since: time,
})

export const news = defineNews({
  'event:dead': {
    when: 'To all admins: a subscriber failed an event 15 times. `failures` has the last one.',
    toUser: deadEvent.omit({ payload: true }).extend({ failures: z.array(failure) }),
  },
  'system:trouble': {
    when: 'To all admins: getStatus was not OK for a minute, and again each hour while it lasts; or an audit failed.',
    toUser: trouble,
  },
})

export const events = defineContract('events', {
  listDeadEvents: operation({
    summary:
      'Events that a subscriber failed 15 times, newest first: they wait for an admin, and later ones of the same entity with them.',
    access: 'admin',
    input: z.strictObject({ ...page }),
    output: listOf(deadEvent),
    errors: ['invalid_input'],
    deadline: 'quick',
    idempotent: true,
    reads: true,
  }),
  redriveEvent: operation({
    summary: 'Sends a dead event again, to the subscribers that have not answered it, with 15 attempts as at first.',
    access: 'admin',
    input: z.strictObject({ eventId: id }),
    output: z.object({ eventId: id }),
    errors: ['event_not_found', 'event_not_dead'],
    deadline: 'quick',
    idempotent: false,
    key: ({ eventId }) => eventId,
  }),

  alertAdmins: subscriber({
    summary:
      'Tells the admins over their sockets, and whoever listens at ALERT_WEBHOOK_URL, what an event is an alert of.',
    payload: z.object({ alert: adminAlert }),
    subscribes: ['charge:created', 'charge:updated', 'charge:refunded'],
    subscribesWhere: ['alert'],
    errors: ['unavailable'],
  }),
  tellTrouble: operation({
    summary: 'Tells the admins over their sockets, and whoever listens at ALERT_WEBHOOK_URL, of trouble; once a key.',
    access: 'internal',
    input: trouble.extend({ key: z.string() }),
    output: z.object({}),
    errors: ['unavailable'],
    deadline: 'quick',
    idempotent: true,
  }),
  retryEvents: operation({
    summary: 'For the retry job: sends what failed and is due again, tells people of dead letters.',
    access: 'internal',
    input: z.strictObject({}),
    output: z.object({ retried: z.int(), alerted: z.int(), dead: z.int() }),
    errors: [],
    deadline: 'quick',
    idempotent: true,
  }),
  reportDeadEvents: backlogOperation('how many dead letters there are.'),
})

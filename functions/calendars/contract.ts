import { z } from 'zod'
import { backlogOperation } from '../../platform/contract/backlog.js'
import { defineContract, operation } from '../../platform/contract/contract.js'
import { defineNews } from '../../platform/contract/news.js'
import { givenTime, id, page, price, reasonText, text, time, version } from '../../platform/contract/types.js'
import { isTimeZone } from '../../platform/lib/zone.rules.js'
import { INVITATION_STATES } from './invitation.states.js'

const DAY_MS = 24 * 3_600_000
/** A booking's; so it stands in three months at most. */
const MAX_PERIOD_DAYS = 31
/** What one request may look at. */
const MAX_RANGE_DAYS = 366

const period = { from: time, to: time }
const givenPeriod = { from: givenTime, to: givenTime }

const within = (maxDays: number) => ({
  order: [(p: { from: string; to: string }) => p.from < p.to, { message: 'from must be before to', path: ['to'] }],
  length: [
    (p: { from: string; to: string }) => Date.parse(p.to) - Date.parse(p.from) <= maxDays * DAY_MS,
    { message: `at most ${maxDays} days`, path: ['to'] },
  ],
})

const withPeriod = <S extends z.ZodType<{ from: string; to: string }>>(shape: S, maxDays: number): S => {
  const { order, length } = within(maxDays)
  return shape.refine(...(order as [() => boolean])).refine(...(length as [() => boolean]))
}

export const calendarItem = z.object({
  id,
  buyerId: id,
  sellerId: id,
  ...period,
  note: z.string(),
  /** Minor units, from the buyer to the seller when it is confirmed. */
  price: price.optional(),
  state: z.enum(INVITATION_STATES),
  /** Why it was rejected or cancelled, or why its last confirmation or cancellation could not be paid. */
  reason: z.string().optional(),
  /** Of a confirmed one: the period that one side proposes, until the other answers. */
  proposal: z.object({ by: z.enum(['buyer', 'seller']), ...period }).optional(),
  cancelledBy: z.enum(['buyer', 'seller', 'admin']).optional(),
  version,
})

/** `seq` is the place of its newest entry in the log: reads with `after: seq` show it. */
export const invitation = calendarItem.extend({ updatedAt: time, seq: z.int() })

const timeZone = z.string().max(64).refine(isTimeZone, 'must be a time zone of the IANA database').default('UTC')

const range = {
  ...givenPeriod,
  as: z.enum(['seller', 'buyer']),
  timeZone,
  /** A seq that a command answered: the answer shows it, or the call fails with view_behind. */
  after: z.int().min(0).optional(),
  cursor: page.cursor,
}

export const news = defineNews({
  'invitation:updated': {
    when: 'To buyer and seller: how an invitation stands. Reads with `after` show it.',
    toUser: invitation.omit({ seq: true }).extend({ after: z.int() }),
  },
  'calendar:updated': {
    when: 'To buyer and seller: between `from` and `to` their calendar has changed.',
    toUser: z.object({ as: z.enum(['buyer', 'seller']), invitationId: id, ...period, after: z.int() }),
  },
})

export const calendars = defineContract('calendars', {
  inviteToBooking: operation({
    summary:
      'Invites a seller to a booking, at a price if one is named. Answers the invitation. A seller has at most MAX_OPEN_INVITATIONS open ones of a buyer.',
    access: 'user',
    input: withPeriod(
      z.strictObject({
        invitationId: id.optional(),
        sellerId: id,
        ...givenPeriod,
        note: text(1000),
        price: price.optional(),
      }),
      MAX_PERIOD_DAYS,
    ),
    output: invitation,
    errors: [
      'invitation_id_reused',
      'period_in_past',
      'user_not_found',
      'receiver_blocked',
      'blocked_by_receiver',
      'too_many_invitations',
      'calendar_full',
    ],
    quota: { count: 'invitations' },
    deadline: 'quick',
    idempotent: true,
    key: ({ sellerId }) => sellerId,
    newId: 'invitationId',
  }),
  rescheduleInvitation: operation({
    summary: 'The buyer proposes another period, while the invitation is open.',
    access: 'user',
    input: withPeriod(
      z.strictObject({ invitationId: id, ...givenPeriod, version: version.optional() }),
      MAX_PERIOD_DAYS,
    ),
    output: invitation,
    errors: [
      'invitation_not_found',
      'forbidden',
      'invitation_not_open',
      'version_conflict',
      'period_in_past',
      'receiver_blocked',
      'blocked_by_receiver',
      'calendar_full',
    ],
    quota: { count: 'invitationChanges' },
    deadline: 'quick',
    idempotent: false,
    key: ({ invitationId }) => invitationId,
  }),
  withdrawInvitation: operation({
    summary: 'The buyer takes an open invitation back.',
    access: 'user',
    input: z.strictObject({ invitationId: id, version: version.optional() }),
    output: invitation,
    errors: ['invitation_not_found', 'forbidden', 'invitation_not_open', 'version_conflict'],
    deadline: 'quick',
    idempotent: false,
    key: ({ invitationId }) => invitationId,
  }),
  rejectInvitation: operation({
    summary: 'The seller turns an open invitation down.',
    access: 'user',
    input: z.strictObject({ invitationId: id, reason: reasonText, version: version.optional() }),
    output: invitation,
    errors: ['invitation_not_found', 'forbidden', 'invitation_not_open', 'version_conflict'],
    deadline: 'quick',
    idempotent: false,
    key: ({ invitationId }) => invitationId,
  }),
  confirmInvitation: operation({
    summary:
      'The seller accepts an open invitation; with a price, once the buyer has paid. Answers when that is decided, once per confirmationId.',
    access: 'user',
    input: z.strictObject({ invitationId: id, confirmationId: id.optional(), version: version.optional() }),
    output: invitation,
    errors: [
      'invitation_not_found',
      'forbidden',
      'confirmation_id_reused',
      'invitation_not_open',
      'version_conflict',
      'period_in_past',
      'seller_unavailable',
      'insufficient_funds',
      'payment_cancelled',
    ],
    quota: { count: 'invitationChanges' },
    deadline: 'money',
    idempotent: true,
    key: ({ invitationId }) => invitationId,
    newId: 'confirmationId',
  }),
  cancelInvitation: operation({
    summary:
      'Buyer or seller take a confirmed invitation back, until INVITATION_CANCEL_NOTICE_MS before it begins; admins always. Answers when the buyer has the price back.',
    access: 'user',
    input: z.strictObject({ invitationId: id, reason: reasonText, version: version.optional() }),
    output: invitation,
    errors: [
      'invitation_not_found',
      'invitation_not_confirmed',
      'version_conflict',
      'cancellation_too_late',
      'insufficient_funds',
      'payment_cancelled',
    ],
    quota: { count: 'invitationChanges' },
    deadline: 'money',
    idempotent: true,
    key: ({ invitationId }) => invitationId,
  }),
  proposeMove: operation({
    summary: 'Buyer or seller propose another period for a confirmed invitation; it stands until the other consents.',
    access: 'user',
    input: withPeriod(
      z.strictObject({ invitationId: id, ...givenPeriod, version: version.optional() }),
      MAX_PERIOD_DAYS,
    ),
    output: invitation,
    errors: [
      'invitation_not_found',
      'forbidden',
      'invitation_not_confirmed',
      'version_conflict',
      'period_in_past',
      'receiver_blocked',
      'blocked_by_receiver',
    ],
    quota: { count: 'invitationChanges' },
    deadline: 'quick',
    idempotent: false,
    key: ({ invitationId }) => invitationId,
  }),
  answerMove: operation({
    summary: 'The other side consents to the proposed period, which then holds; or either side ends the proposal.',
    access: 'user',
    input: z.strictObject({ invitationId: id, accept: z.boolean(), version: version.optional() }),
    output: invitation,
    errors: [
      'invitation_not_found',
      'invitation_not_confirmed',
      'version_conflict',
      'move_not_proposed',
      'forbidden',
      'period_in_past',
      'seller_unavailable',
      'calendar_full',
    ],
    quota: { count: 'invitationChanges' },
    deadline: 'quick',
    idempotent: false,
    key: ({ invitationId }) => invitationId,
  }),
  getInvitation: operation({
    summary: 'One invitation as it stands: own ones, or any for admins.',
    access: 'user',
    input: z.strictObject({ invitationId: id }),
    output: invitation,
    errors: ['invitation_not_found'],
    deadline: 'quick',
    idempotent: true,
    reads: true,
  }),
  getCalendar: operation({
    summary:
      "The caller's bookings and open invitations that touch a period, as seller or as buyer, by start, and on which days of the time zone those of this page fall. Counts as 5 requests against the rate.",
    access: 'user',
    input: withPeriod(z.strictObject(range), MAX_RANGE_DAYS),
    output: z.object({
      items: z.array(calendarItem),
      /** Those with an invitation, in order; `from` and `to` are when the day begins and ends in the zone. */
      days: z.array(z.object({ date: z.string(), ...period, invitationIds: z.array(id) })),
      nextCursor: z.string().nullable(),
    }),
    errors: ['invalid_input', 'view_behind'],
    deadline: 'quick',
    idempotent: true,
    reads: true,
    weight: 5,
    costly: 3,
  }),
  exportCalendar: operation({
    summary:
      "The caller's calendar as an iCalendar text (RFC 5545): confirmed bookings, open invitations as tentative, and what was cancelled. What does not fit into one text goes on in the next. Counts as 10 requests against the rate.",
    access: 'user',
    input: withPeriod(z.strictObject(range), MAX_RANGE_DAYS),
    output: z.object({ contentType: z.literal('text/calendar'), text: z.string(), nextCursor: z.string().nullable() }),
    errors: ['invalid_input', 'view_behind'],
    deadline: 'quick',
    idempotent: true,
    reads: true,
    weight: 10,
    costly: 10,
  }),
  recoverInvitations: operation({
    summary:
      'Drives confirmations and cancellations whose payment is under way to their end; the recovery job calls it. With invitationId one, parked or not.',
    access: 'admin',
    input: z.strictObject({ invitationId: id.optional() }),
    output: z.object({
      examined: z.int(),
      confirmed: z.int(),
      cancelled: z.int(),
      refused: z.int(),
      parked: z.int(),
    }),
    errors: ['invitation_not_found'],
    deadline: 'sweep',
    idempotent: true,
  }),
  findParkedInvitations: operation({
    summary: 'For auditBooks: invitations whose confirmation or cancellation recovery has given up.',
    access: 'internal',
    input: z.strictObject({}),
    output: z.object({ parked: z.array(id) }),
    errors: [],
    deadline: 'sweep',
    idempotent: true,
  }),
  copyBlock: operation({
    summary: 'For messages: who of two users has blocked the other, by the newest entry of their conversation.',
    access: 'internal',
    input: z.strictObject({ userIds: z.array(id).length(2), blockedBy: z.array(id).max(2), number: z.int().min(1) }),
    output: z.object({}),
    errors: [],
    deadline: 'quick',
    idempotent: true,
  }),
  tidyCalendars: operation({
    summary:
      'For the tidy job: forgets held periods that ended more than a day ago, and pairs of users without anything open.',
    access: 'internal',
    input: z.strictObject({}),
    output: z.object({ users: z.int(), pairs: z.int() }),
    errors: [],
    deadline: 'sweep',
    idempotent: true,
  }),
  reportStuckInvitations: backlogOperation(
    'invitations whose payment is stuck or parked, and how far the view is behind.',
  ),
})

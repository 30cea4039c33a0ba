import { z } from 'zod'
import { backlogOperation } from '../../platform/contract/backlog.js'
import { defineContract, operation } from '../../platform/contract/contract.js'
import {
  amount,
  email,
  givenTime,
  id,
  knownPassword,
  line,
  listOf,
  money,
  name,
  page,
  password,
  time,
  version,
} from '../../platform/contract/types.js'
import { REFRESH_TOKEN } from './refreshToken.rules.js'
import { heldFields, outcome, STEP_NAMES } from '../../protocol/wire.js'

export const role = z.enum(['user', 'admin'])

export const user = z.object({
  id,
  name: z.string(),
  email: z.string(),
  role,
  balance: money,
  /** The newest 100 whose effect stands, newest last; ended ones are forgotten after a day. listBookings has them all. */
  bookings: z.array(id),
  pendingBookings: z.array(id),
  version,
  createdAt: time,
  updatedAt: time,
})

/** A refund is the reversal of a payment. */
export const LEDGER_CAUSES = [
  'deposit',
  'withdrawal',
  'booking',
  'booking_undone',
  'reversal',
  'payment',
  'payment_undone',
  'refund',
  'receipt',
] as const

export const ledgerEntry = z.object({
  id: z.string(),
  at: time,
  /** What changed the balance. */
  cause: z.enum(LEDGER_CAUSES),
  /** The deposit, withdrawal, booking, payment, or reversal of either. */
  causeId: id,
  /** Minor units; negative: taken. */
  change: z.int(),
  balanceAfter: money,
})

/** What a client shows to be asked for the next token: `refreshToken`, once. */
const session = z.object({
  user,
  token: z.string(),
  tokenExpiresAt: time,
  refreshToken: z.string(),
  sessionId: id,
})
/** What a client calls itself in the list of its user's sessions. */
const device = line(100).optional()
/** Of a mail. */
const mailToken = z
  .string()
  .min(1)
  .max(2000)
  .regex(/^[\w.-]+$/, 'must be the token of a mail')

/** What of a token may have changed since it was signed. */
const tokenState = z.strictObject({
  userId: id,
  tokenVersion: z.int(),
  sessionId: id.optional(),
  apiKeyId: id.optional(),
})

/** Those with operations for clients; `feeds` is the user's own news. A test compares them with the tree. */
export const SCOPED_DOMAINS = [
  'bookings',
  'calendars',
  'events',
  'feeds',
  'lobbies',
  'messages',
  'orders',
  'payments',
  'platform',
  'tickets',
  'trains',
  'users',
] as const
const scope = z.enum(SCOPED_DOMAINS.flatMap((domain) => [`${domain}:read`, `${domain}:write`] as const))
const MAX_SCOPES = 2 * SCOPED_DOMAINS.length

const apiKey = z.object({
  id,
  /** Whom it acts as. */
  userId: id,
  name: z.string(),
  scopes: z.array(z.string()),
  createdAt: time,
  expiresAt: time.optional(),
  /** To the minute; a socket that is open counts. Missing: never yet. */
  lastUsedAt: time.optional(),
  revokedAt: time.optional(),
})

/** What the user's document needs to know of a booking, in whatever step. */
const heldBooking = z.strictObject({ ...heldFields, userId: id, cost: money })

/** booking and payer pay the cost, before the decision; a payee receives it, after. */
export const fundsSide = z.enum(['booking', 'payer', 'payee'])

const notOwnEmail = ({ email, password }: { email: string; password?: string | undefined }): boolean =>
  password?.trim().toLowerCase() !== email
const NOT_OWN_EMAIL = { path: ['password'], message: 'must not be the e-mail address' }

export const users = defineContract('users', {
  signUp: operation({
    summary: 'Makes a plain user and signs in.',
    access: 'anyone',
    input: z
      .strictObject({ userId: id.optional(), email, password, name: name.optional(), device })
      .refine(notOwnEmail, NOT_OWN_EMAIL),
    passwords: ['password'],
    output: session,
    errors: ['user_id_reused', 'email_taken'],
    quota: { count: 'accounts' },
    deadline: 'quick',
    idempotent: true,
    newId: 'userId',
  }),
  signIn: operation({
    summary:
      'Begins a session for an e-mail address and its password; wrong ones make the next wait (rate_limited). docs/accounts.md has what tokens are for.',
    access: 'anyone',
    input: z.strictObject({ email, password: knownPassword, device }),
    passwords: ['password'],
    output: session,
    errors: ['unauthenticated'],
    deadline: 'quick',
    idempotent: true,
  }),
  refreshSession: operation({
    summary:
      'The next token and refresh token of a session. A lost answer is answered again with the same refreshId; a refresh token that was used before ends its session.',
    access: 'anyone',
    input: z.strictObject({
      refreshId: id.optional(),
      refreshToken: z.string().max(95).regex(REFRESH_TOKEN, 'must be a refresh token'),
    }),
    output: session,
    errors: ['unauthenticated'],
    deadline: 'quick',
    idempotent: true,
    newId: 'refreshId',
  }),
  listSessions: operation({
    summary: 'Where a user is signed in, newest first.',
    access: 'user',
    personal: true,
    input: z.strictObject({ userId: id, ...page }),
    output: listOf(
      z.object({
        id,
        device: z.string().optional(),
        /** An IPv4 address, or the /64 of an IPv6 one. */
        network: z.string().optional(),
        createdAt: time,
        /** Signed in or refreshed. */
        lastUsedAt: time,
        expiresAt: time,
        /** The one that asks. */
        current: z.boolean(),
      }),
    ),
    errors: ['user_not_found', 'invalid_input'],
    deadline: 'quick',
    idempotent: true,
    reads: true,
  }),
  signOut: operation({
    summary: "Ends the caller's session: its tokens stop working, and its sockets are closed.",
    access: 'user',
    personal: true,
    input: z.strictObject({}),
    output: z.object({}),
    errors: ['session_not_found'],
    deadline: 'quick',
    idempotent: true,
  }),
  signOutEverywhere: operation({
    summary: 'Ends all sessions and tokens of a user, those of npm run token too, and closes their sockets.',
    access: 'user',
    personal: true,
    input: z.strictObject({ userId: id }),
    output: z.object({}),
    errors: ['user_not_found'],
    deadline: 'quick',
    idempotent: false,
    key: ({ userId }) => userId,
  }),
  revokeSession: operation({
    summary: 'Ends one session: its tokens stop working, and its sockets are closed.',
    access: 'user',
    personal: true,
    input: z.strictObject({ sessionId: id }),
    output: z.object({}),
    errors: ['session_not_found'],
    deadline: 'quick',
    idempotent: false,
    key: ({ sessionId }) => sessionId,
  }),
  createApiKey: operation({
    summary:
      'Makes an API key that acts as a user (without userId: the caller) within its scopes; <domain>:write covers <domain>:read. The answer alone has the key.',
    access: 'admin',
    personal: true,
    input: z.strictObject({
      apiKeyId: id.optional(),
      name,
      userId: id.optional(),
      scopes: z.array(scope).min(1).max(MAX_SCOPES),
      expiresAt: givenTime.optional(),
    }),
    output: z.object({ apiKey, key: z.string() }),
    errors: ['user_not_found', 'api_key_id_reused'],
    deadline: 'quick',
    idempotent: true,
    newId: 'apiKeyId',
    key: ({ userId }) => userId,
  }),
  listApiKeys: operation({
    summary: 'All API keys, newest first, revoked ones too.',
    access: 'admin',
    personal: true,
    input: z.strictObject(page),
    output: listOf(apiKey),
    errors: ['invalid_input'],
    deadline: 'quick',
    idempotent: true,
    reads: true,
  }),
  revokeApiKey: operation({
    summary: 'Ends an API key for good, and closes its sockets.',
    access: 'admin',
    personal: true,
    input: z.strictObject({ apiKeyId: id }),
    output: apiKey,
    errors: ['api_key_not_found'],
    deadline: 'quick',
    idempotent: true,
    key: ({ apiKeyId }) => apiKeyId,
  }),
  createUser: operation({
    summary: 'Makes a user of any role; without a password one must be set before the user can sign in.',
    access: 'admin',
    input: z
      .strictObject({
        userId: id.optional(),
        name,
        email,
        role: role.default('user'),
        password: password.optional(),
      })
      .refine(notOwnEmail, NOT_OWN_EMAIL),
    passwords: ['password'],
    output: user,
    errors: ['user_id_reused', 'email_taken'],
    deadline: 'quick',
    idempotent: true,
    newId: 'userId',
  }),
  listUsers: operation({
    summary: 'All users, oldest first; query matches the beginning of name or e-mail, whatever the case.',
    access: 'admin',
    input: z.strictObject({ query: line(200).optional(), ...page }),
    output: listOf(user),
    errors: ['invalid_input'],
    deadline: 'quick',
    idempotent: true,
    reads: true,
  }),
  changePassword: operation({
    summary: "Changes the caller's own password; tokens from before stop working, the answer has a new one.",
    access: 'user',
    personal: true,
    input: z.strictObject({ oldPassword: knownPassword, newPassword: password, device }),
    passwords: ['oldPassword', 'newPassword'],
    output: session,
    errors: ['unauthenticated'],
    deadline: 'quick',
    idempotent: false,
  }),
  requestPasswordReset: operation({
    summary:
      'Sends a mail whose token sets a new password. Answers the same whether there is such an account or not; the next one has to wait.',
    access: 'anyone',
    input: z.strictObject({ mailId: id.optional(), email }),
    output: z.object({}),
    errors: ['mail_unavailable'],
    quota: { count: 'mails' },
    deadline: 'quick',
    idempotent: true,
    newId: 'mailId',
  }),
  resetPassword: operation({
    summary:
      'Sets a new password by the token of a mail, which works once; ends all sessions and tokens from before, and begins one.',
    access: 'anyone',
    input: z.strictObject({ token: mailToken, newPassword: password, device }),
    passwords: ['newPassword'],
    output: session,
    errors: ['mail_token_invalid'],
    deadline: 'quick',
    idempotent: false,
  }),
  requestEmailChange: operation({
    summary:
      "Sends a mail to a new address, whose token makes it the caller's. Answers the same whether somebody has it or not.",
    access: 'user',
    personal: true,
    input: z.strictObject({ mailId: id.optional(), email, password: knownPassword }).refine(notOwnEmail, NOT_OWN_EMAIL),
    passwords: ['password'],
    output: z.object({}),
    errors: ['unauthenticated', 'mail_unavailable'],
    quota: { count: 'mails' },
    deadline: 'quick',
    idempotent: true,
    newId: 'mailId',
  }),
  confirmEmail: operation({
    summary: 'Makes the address that a mail went to the one of its user, by the token of the mail.',
    access: 'anyone',
    input: z.strictObject({ token: mailToken }),
    output: z.object({ email: z.string() }),
    errors: ['mail_token_invalid', 'email_taken'],
    deadline: 'quick',
    idempotent: true,
  }),
  setPassword: operation({
    summary: "Sets a user's password; tokens from before stop working.",
    access: 'admin',
    personal: true,
    input: z.strictObject({ userId: id, newPassword: password }),
    passwords: ['newPassword'],
    output: user,
    errors: ['user_not_found'],
    deadline: 'quick',
    idempotent: true,
  }),
  getUser: operation({
    summary: 'One user: oneself, or anyone for admins.',
    access: 'user',
    input: z.strictObject({ userId: id }),
    output: user,
    errors: ['user_not_found'],
    deadline: 'quick',
    idempotent: true,
    reads: true,
  }),
  updateUser: operation({
    summary:
      "Changes name; admins: role (bites at the next request), and others' e-mail. One's own: requestEmailChange.",
    access: 'user',
    input: z.strictObject({
      userId: id,
      version,
      set: z
        .strictObject({ name: name.optional(), email: email.optional(), role: role.optional() })
        .refine((set) => Object.keys(set).length > 0, 'needs at least one field'),
    }),
    output: user,
    errors: ['user_not_found', 'forbidden', 'version_conflict', 'email_taken'],
    deadline: 'quick',
    idempotent: false,
    key: ({ userId }) => userId,
  }),
  depositFunds: operation({
    summary: "Adds to a user's balance, once per depositId.",
    access: 'admin',
    input: z.strictObject({ depositId: id.optional(), userId: id, amount }),
    output: user,
    errors: ['deposit_id_reused', 'user_not_found', 'balance_limit_exceeded'],
    deadline: 'money',
    idempotent: true,
    key: ({ userId }) => userId,
    newId: 'depositId',
  }),
  withdrawFunds: operation({
    summary: "Takes from a user's balance, once per withdrawalId.",
    access: 'admin',
    input: z.strictObject({ withdrawalId: id.optional(), userId: id, amount }),
    output: user,
    errors: ['withdrawal_id_reused', 'user_not_found', 'insufficient_funds'],
    deadline: 'money',
    idempotent: true,
    key: ({ userId }) => userId,
    newId: 'withdrawalId',
  }),
  listLedger: operation({
    summary: 'Every change of a balance, newest first: what caused it, and the balance after.',
    access: 'user',
    input: z.strictObject({ userId: id, ...page }),
    output: listOf(ledgerEntry),
    errors: ['user_not_found', 'invalid_input'],
    deadline: 'quick',
    idempotent: true,
    reads: true,
  }),

  openApiKey: operation({
    summary: 'For the gateway: whom an API key acts as, and within which scopes; null where it does not work.',
    access: 'internal',
    input: z.strictObject({ apiKeyId: id, secretHash: z.string() }),
    output: z.object({
      holder: z.object({ userId: id, role, scopes: z.array(z.string()), expiresAt: time.optional() }).nullable(),
    }),
    errors: [],
    deadline: 'quick',
    idempotent: true,
    key: ({ apiKeyId }) => apiKeyId,
  }),
  authenticate: operation({
    summary: 'For the gateway: the present role of each token holder; null where the token stopped working.',
    access: 'internal',
    input: z.strictObject({ tokens: z.array(tokenState).max(1000) }),
    output: z.object({ roles: z.array(role.nullable()) }),
    errors: [],
    deadline: 'quick',
    idempotent: true,
    key: () => 'users',
  }),
  listAccessChanges: operation({
    summary:
      'For gateway workers: whose role, token version or sessions changed since an earlier answer, as they are now.',
    access: 'internal',
    input: z.strictObject({
      /** From the last answer; 0 where there was none. */
      afterMs: z.int().min(0),
    }),
    output: z.object({
      afterMs: z.int().min(0),
      /** Again and again for a while. null: too many, or nobody knows since when: it may be anyone. */
      changed: z.array(z.object({ userId: id, tokenVersion: z.int() })).nullable(),
    }),
    errors: [],
    deadline: 'quick',
    idempotent: true,
    key: () => 'users',
  }),
  findFunds: operation({
    summary: 'For bookings: what each of these users could spend now; null where there is none.',
    access: 'internal',
    input: z.strictObject({ userIds: z.array(id).min(1).max(1000) }),
    output: z.object({
      funds: z.array(
        z
          .object({
            balance: money,
            /** Something that is not decided yet holds money, or is about to bring some. */
            undecided: z.boolean(),
            /** Of the user's document. */
            bytes: z.int(),
          })
          .nullable(),
      ),
    }),
    errors: [],
    deadline: 'quick',
    idempotent: true,
    key: () => 'users',
  }),
  checkRoom: operation({
    summary: "For payments: whether a user's balance could be credited with an amount, as it stands.",
    access: 'internal',
    input: z.strictObject({ userId: id, amount: money }),
    output: z.object({ fits: z.boolean() }),
    errors: [],
    deadline: 'quick',
    idempotent: true,
  }),
  findExistingUsers: operation({
    summary: 'For other domains: which of these users there are. Users are never removed.',
    access: 'internal',
    input: z.strictObject({ userIds: z.array(id).max(1000) }),
    output: z.object({ existing: z.array(id) }),
    errors: [],
    deadline: 'quick',
    idempotent: true,
  }),
  moveFunds: operation({
    summary: 'For the booking and payment engines: steps of the protocol on users, each with its own outcome.',
    access: 'internal',
    input: z.strictObject({
      steps: z
        .array(z.strictObject({ step: z.enum(STEP_NAMES), side: fundsSide, booking: heldBooking }))
        .min(1)
        .max(1000),
    }),
    output: z.object({ outcomes: z.array(outcome) }),
    errors: [],
    deadline: 'step',
    idempotent: false,
    key: () => 'users',
  }),
  recoverTransfers: operation({
    summary:
      'Drives stuck deposits and withdrawals to their end; the recovery job calls it. With transferId one, parked or not.',
    access: 'admin',
    input: z.strictObject({ transferId: id.optional() }),
    output: z.object({ examined: z.int(), committed: z.int(), cancelled: z.int(), parked: z.int() }),
    errors: ['transfer_not_found'],
    deadline: 'sweep',
    idempotent: true,
  }),
  recoverMails: operation({
    summary: 'Sends the mails that wait; the recovery job calls it. With mailId one, parked or not.',
    access: 'admin',
    input: z.strictObject({ mailId: id.optional() }),
    output: z.object({ examined: z.int(), sent: z.int(), parked: z.int() }),
    errors: ['mail_not_found'],
    deadline: 'sweep',
    idempotent: true,
  }),
  tidyUsers: operation({
    summary: 'For the tidy job: archives ledgers, clears leftover markers, forgets what ended more than a day ago.',
    access: 'internal',
    input: z.strictObject({}),
    output: z.object({ archived: z.int(), cleared: z.int(), forgotten: z.int() }),
    errors: [],
    deadline: 'sweep',
    idempotent: true,
  }),
  listAdminIds: operation({
    summary: 'Who is told when an operator has to act.',
    access: 'internal',
    input: z.strictObject({}),
    output: z.object({ userIds: z.array(id) }),
    errors: [],
    deadline: 'quick',
    idempotent: true,
  }),
  auditUsers: operation({
    summary:
      'For auditBooks and auditPayments: users by page, with what their ledgers add up to, and violations seen within this domain.',
    access: 'internal',
    input: z.strictObject({ userIds: z.array(id).max(200).optional(), ...page }),
    output: z.object({
      items: z.array(
        z.object({
          id,
          balance: z.number(),
          bookings: z.array(id),
          pendingBookings: z.array(id),
          tombstones: z.array(id),
          payments: z.array(id),
          pendingPayments: z.array(id),
          paymentTombstones: z.array(id),
          forgottenBefore: time,
          /** Net change by booking or reversal, only those that are not zero; the same by payment or refund. */
          changes: z.record(z.string(), z.number()),
          paymentChanges: z.record(z.string(), z.number()),
          violations: z.array(z.string()),
          /** Deposits and withdrawals that wait for an admin. */
          parkedTransfers: z.array(id),
        }),
      ),
      nextCursor: z.string().nullable(),
    }),
    errors: ['invalid_input'],
    deadline: 'sweep',
    idempotent: true,
  }),
  reportStuckTransfers: backlogOperation('deposits, withdrawals and mails that are stuck or parked.'),
})

import mongoose from 'mongoose'
import { setTimeout as sleep } from 'node:timers/promises'
import { Refusal } from '../../platform/contract/errors.js'
import type { Context } from '../../platform/runtime/function.js'
import { bookingLog, type BookingLogEntry, type Party } from './bookingLog.model.js'
import { alongside, type HeadChange } from './calendarHead.changes.js'
import { isOpen } from './invitation.states.js'
import { changePair, pairChange, preparePair } from './pair.changes.js'
import { versionConflict } from '../../platform/runtime/updateVersion.js'

/** What a command appends, and what it changes in heads with it. */
export interface InvitationChange
  extends Pick<BookingLogEntry, 'kind' | 'invitation'>, Partial<Pick<BookingLogEntry, 'previous' | 'key' | 'request'>> {
  heads: HeadChange[]
  /** The caller asks something new of the other side: what caps and blocks are for. */
  asks?: true
}

const LONGEST_PAUSE_MS = 20

/** Appends after `current`, the newest entry that the command knows of (null: it begins the stream). */
export async function appendAfter(
  ctx: Context,
  invitationId: string,
  current: BookingLogEntry | null,
  { heads, asks, ...change }: InvitationChange,
): Promise<BookingLogEntry | 'conflict'> {
  const pair = pairChange(current, change.invitation, asks && ctx.caller?.userId)
  if (pair?.asker !== undefined) await preparePair(ctx, pair)
  return ctx.use(bookingLog).append(
    change.invitation.sellerId.toHexString(),
    {
      stream: invitationId,
      number: (current?.number ?? 0) + 1,
      by: ctx.caller && new mongoose.Types.ObjectId(ctx.caller.userId),
      requestId: ctx.requestId,
      at: ctx.now(),
      ...change,
    },
    async (session) => {
      if (pair) await changePair(ctx, pair, session)
      await alongside(ctx, heads)(session)
    },
  )
}

/**
 * Changes an invitation: `decide` sees its newest entry and answers what to append, null where that entry is the answer
 * already, or throws the refusal. Where somebody else was first, it decides again.
 */
export const changeInvitation = (
  ctx: Context,
  invitationId: string,
  decide: (current: BookingLogEntry) => InvitationChange | null,
): Promise<BookingLogEntry> => ctx.use(bookingLog).inTurn(invitationId, () => changeInTurn(ctx, invitationId, decide))

async function changeInTurn(
  ctx: Context,
  invitationId: string,
  decide: (current: BookingLogEntry) => InvitationChange | null,
): Promise<BookingLogEntry> {
  for (let pauseMs = 2; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    const current = await visibleInvitation(ctx, invitationId)
    const next = decide(current)
    if (!next) return current
    const appended = await appendAfter(ctx, invitationId, current, next)
    if (appended !== 'conflict') return appended
    if (next.key && (await ctx.use(bookingLog).byKey(next.key))) {
      throw new Refusal('confirmation_id_reused', 'This confirmationId was sent before.')
    }
    await pause(ctx, pauseMs)
  }
}

/** Until what is in the way is majority, and so to be seen. */
export async function pause(ctx: Context, pauseMs: number): Promise<void> {
  if (ctx.remainingMs() < pauseMs) throw new Refusal('deadline_exceeded', 'Too many others changed it at once.')
  await sleep(pauseMs)
}

/** The newest entry of an invitation that the caller has a part in: to others it is not there, so that ids tell nothing. */
export async function visibleInvitation(ctx: Context, invitationId: string): Promise<BookingLogEntry> {
  const newest = await ctx.use(bookingLog).head(invitationId)
  if (!newest || !isVisible(ctx, newest)) {
    throw new Refusal('invitation_not_found', `There is no invitation ${invitationId}.`)
  }
  return newest
}

const isVisible = ({ caller }: Context, { invitation: { buyerId, sellerId } }: BookingLogEntry): boolean =>
  caller?.role !== 'user' || buyerId.equals(caller.userId) || sellerId.equals(caller.userId)

/** The caller's part in the invitation. Whoever is neither buyer nor seller sees it only as an admin. */
export function partyOf({ caller }: Context, { invitation: { buyerId, sellerId } }: BookingLogEntry): Party {
  if (caller && buyerId.equals(caller.userId)) return 'buyer'
  return caller && sellerId.equals(caller.userId) ? 'seller' : 'admin'
}

export function assertBuyer({ caller }: Context, { invitation }: BookingLogEntry): void {
  if (!caller || !invitation.buyerId.equals(caller.userId))
    throw new Refusal('forbidden', 'That is for the buyer to do.')
}

export function assertSeller({ caller }: Context, { invitation }: BookingLogEntry): void {
  if (!caller || !invitation.sellerId.equals(caller.userId))
    throw new Refusal('forbidden', 'That is for the seller to do.')
}

/** Open, and at the version that the caller has seen, if they say which. */
export function assertOpen({ invitation, number }: BookingLogEntry, version: number | undefined): void {
  const { state } = invitation
  if (!isOpen(state)) throw new Refusal('invitation_not_open', `The invitation is ${state}.`, { state })
  assertVersion(number, version)
}

/** As assertOpen, for what is done with an appointment. */
export function assertConfirmed({ invitation, number }: BookingLogEntry, version: number | undefined): void {
  const { state } = invitation
  if (state !== 'confirmed') throw new Refusal('invitation_not_confirmed', `The invitation is ${state}.`, { state })
  assertVersion(number, version)
}

function assertVersion(number: number, version: number | undefined): void {
  if (version === undefined || version === number) return
  throw versionConflict('invitation', number)
}

export function assertAhead(ctx: Context, from: Date): void {
  if (from <= ctx.now()) throw new Refusal('period_in_past', 'The period has begun already.')
}

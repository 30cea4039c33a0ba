import { randomBytes } from 'node:crypto'
import mongoose from 'mongoose'
import { secretHashOf } from '../../platform/contract/apiKeys.js'
import type { Output } from '../../platform/contract/contract.js'
import { Refusal } from '../../platform/contract/errors.js'
import type { Context } from '../../platform/runtime/function.js'
import type { users } from './contract.js'
import { secretsAfter, wasGivenOut, type RefreshToken } from './refreshToken.rules.js'
import { Session, type SessionDocument } from './session.model.js'
import { presentSession, type SessionUser } from './session.presenter.js'
import { User } from './user.model.js'

/** Of a user; one more ends the one that was used longest ago. */
const MAX_SESSIONS = 50

type Answer = Output<typeof users.signIn>

/**
 * Begins a session of a user, and answers it. A crash before the insert leaves nothing, one after it a session that nobody
 * can use: it stands in the list of its user until it expires. An insert that lands late changes nothing in that. One that
 * lands after the user's token version was raised has ended already.
 */
export async function openSession(ctx: Context, user: SessionUser, device?: string): Promise<Answer> {
  const at = ctx.now()
  const secret = randomBytes(32).toString('base64url')
  const session: SessionDocument = {
    _id: new mongoose.Types.ObjectId(ctx.newId()),
    userId: user._id,
    tokenVersion: user.tokenVersion,
    secretHash: secretHashOf(secret),
    ...(device !== undefined && { device }),
    ...(ctx.network !== null && { network: ctx.network }),
    createdAt: at,
    lastUsedAt: at,
    expiresAt: expiryAt(ctx),
  }
  await ctx.model(Session).create(session)
  await endSurplus(ctx, session)
  return presentSession(ctx, user, { sessionId: session._id.toHexString(), secret })
}

/** A crash before it leaves one session too many, which the next sign-in ends. */
async function endSurplus(ctx: Context, { _id, userId }: SessionDocument): Promise<void> {
  const model = ctx.model(Session)
  const others = { userId, _id: { $ne: _id } }
  const surplus = await model
    .find(others, { _id: 1 })
    .sort({ lastUsedAt: -1, _id: -1 })
    .skip(MAX_SESSIONS - 1)
    .lean()
  if (surplus.length > 0)
    await endSessions(
      ctx,
      userId,
      surplus.map((each) => each._id),
    )
}

/**
 * Ends sessions of a user. By `accessChangedAt` gateway workers hear within a second that they have to ask again, for some
 * seconds, in which the sessions go: so it is first. A crash between the two ends nothing, and nobody was told that it did.
 * Both may land late, or twice: what has ended stays so.
 */
export async function endSessions(ctx: Context, userId: Id, sessionIds: readonly Id[]): Promise<void> {
  await ctx.model(User).updateOne({ _id: userId }, { $currentDate: { accessChangedAt: true } })
  await ctx.model(Session).deleteMany({ _id: { $in: sessionIds }, userId })
}
type Id = mongoose.Types.ObjectId | string

/**
 * The next refresh token in place of this one: a compare-and-set on the stored hash, so that of two who use one token at
 * once one gets the next. A crash before the write leaves the token as it was. One after it, or a lost reply, loses nothing
 * either: the next secret follows from the token and the request, so that the same request is answered the same again, until
 * the token that it was answered has been used. A write that lands late finds another hash and changes nothing.
 *
 * A token of ours that is neither was copied: whoever has the next one may be the thief, so the session ends for both.
 */
export async function rotateSession(
  ctx: Context,
  { given, user, refreshId }: { given: RefreshToken; user: SessionUser; refreshId: string },
): Promise<Answer> {
  const model = ctx.model(Session)
  const { sessionId } = given
  const next = secretsAfter(ctx.config, given, refreshId)
  const [secret = ''] = next
  const rotated = await model.findOneAndUpdate(
    { _id: sessionId, secretHash: secretHashOf(given.secret) },
    {
      $set: {
        secretHash: secretHashOf(secret),
        lastUsedAt: ctx.now(),
        expiresAt: expiryAt(ctx),
        ...(ctx.network !== null && { network: ctx.network }),
      },
    },
  )
  if (rotated) return presentSession(ctx, user, { sessionId, secret })

  // Linearizable: what was in the way may be of this very request, a moment ago.
  const session = await model.findById(sessionId).readConcern('linearizable').lean()
  const again = next.find((each) => secretHashOf(each) === session?.secretHash)
  if (again !== undefined) return presentSession(ctx, user, { sessionId, secret: again })
  if (!session || !wasGivenOut(ctx.config, given)) throw sessionEnded()
  // A crash before it leaves the session to whoever has its token, until the copy is used again.
  await endSessions(ctx, session.userId, [session._id])
  ctx.log.warn({ userId: user._id.toHexString(), sessionId }, 'a refresh token was used twice: its session is ended')
  throw sessionEnded()
}

export const sessionEnded = (): Refusal =>
  new Refusal('unauthenticated', 'The session has ended, or its refresh token was used before: sign in again.')

export const sessionNotFound = (): Refusal => new Refusal('session_not_found', 'There is no such session.')

const expiryAt = ({ now, config }: Context): Date => new Date(now().getTime() + config.sessions.ttlMs)

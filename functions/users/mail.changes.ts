import mongoose from 'mongoose'
import { unlessTaken } from '../../platform/database/bulkErrors.js'
import { Refusal } from '../../platform/contract/errors.js'
import type { Context } from '../../platform/runtime/function.js'
import { standInFor } from '../../platform/runtime/standIns.js'
import { signMailToken, type MailClaims } from '../../platform/runtime/tokens.js'
import { PARK_AFTER } from '../../protocol/retries.js'
import { MailRequest, type MailDocument } from './mail.model.js'
import { isRefusedAddress, requireMailer } from './mail.remote.js'
import { MAIL_TOKEN_TTL_MS, mailWaitMs, wordsOf } from './mail.rules.js'
import { User } from './user.model.js'

/** After the last wait: then the waits begin anew, and MongoDB may drop it. */
const FORGET_MS = 24 * 3_600_000
const ATTEMPTS = 5

type Asked = Pick<MailDocument, 'kind' | 'userId'> & { mailId: string; to: string }

/**
 * Takes a mail in, and sends it behind the answer. Whether there is such an account is looked up only then: the answer, and
 * the time until it, tell nothing. By a compare-and-set on the request before it one of several at once is taken, and the
 * others wait as long as they would otherwise: `rate_limited`. The same request again is taken in already.
 *
 * A crash before the write leaves nothing, and nobody was answered. After it recovery sends the mail. A write that lands late
 * finds another request, and changes nothing.
 */
export async function takeMail(ctx: Context, { kind, mailId, to, userId }: Asked): Promise<void> {
  requireMailer(ctx)
  const model = ctx.model(MailRequest)
  const _id = `${kind}:${standInFor(ctx.config, to)}`
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const at = ctx.now()
    const found = await model.findById(_id).readConcern('local').lean()
    if (found?.mailId.toHexString() === mailId && String(found.userId) === String(userId)) return
    const waitMs = found ? found.nextAt.getTime() - at.getTime() : 0
    if (waitMs > 0) throw new Refusal('rate_limited', 'A mail was asked for a moment ago.', { retryAfterMs: waitMs })
    const inARow = found && -waitMs < FORGET_MS ? found.inARow + 1 : 1
    const mail: MailDocument = {
      _id,
      kind,
      mailId: new mongoose.Types.ObjectId(mailId),
      to,
      ...(userId && { userId }),
      state: 'PENDING',
      inARow,
      nextAt: new Date(at.getTime() + mailWaitMs(inARow)),
      failures: 0,
      parked: false,
      createdAt: at,
      lastModified: at,
    }
    const taken = found
      ? (await model.replaceOne({ _id, mailId: found.mailId, nextAt: found.nextAt }, mail)).modifiedCount === 1
      : await unlessTaken(model.create(mail))
    if (taken) return ctx.goOn(deliver(ctx, mail).then(() => {}))
  }
  throw new Refusal('unavailable', 'Too many ask for the same mail at once.')
}

/**
 * Sends a mail, and notes it: a crash in between sends it twice, each with a token that works until one of them is used.
 * Whoever fails leaves it to recovery. Never rejects.
 */
export async function deliver(ctx: Context, mail: MailDocument): Promise<'sent' | 'dropped' | 'failed' | 'parked'> {
  const { _id, mailId, to = '' } = mail
  const pending = { _id, mailId, state: 'PENDING' as const }
  const model = ctx.model(MailRequest)
  try {
    const claims = await claimsOf(ctx, mail)
    const isSent = claims !== null && (await send(ctx, mail, claims))
    const expiresAt = new Date(mail.nextAt.getTime() + FORGET_MS)
    await model.updateOne(pending, {
      $set: { state: 'SENT', lastModified: ctx.now(), expiresAt },
      $unset: { to: true, userId: true },
    })
    return isSent ? 'sent' : 'dropped'
  } catch (error) {
    const failures = mail.failures + 1
    const parked = failures >= PARK_AFTER
    ctx.log[parked ? 'error' : 'warn']({ mailId, to, failures, parked, err: error }, 'a mail could not be sent')
    await model
      .updateOne(pending, { $set: { failures, parked, lastModified: ctx.now() } })
      .catch((cause: unknown) => ctx.log.error({ mailId, err: cause }, 'a mail could not be postponed'))
    return parked ? 'parked' : 'failed'
  }
}

async function send(ctx: Context, { kind, to = '', mailId }: MailDocument, claims: MailClaims): Promise<boolean> {
  const token = await signMailToken(claims, { purpose: kind, ttlMs: MAIL_TOKEN_TTL_MS }, ctx.config, ctx.now())
  try {
    await requireMailer(ctx)(wordsOf(kind, to, token, ctx.config.mail.accountPageUrl))
    ctx.log.info({ mailId, kind, userId: claims.userId }, 'a mail was sent')
    return true
  } catch (error) {
    if (!isRefusedAddress(error)) throw error
    ctx.log.warn({ mailId, to, err: error }, 'a mail was refused for good')
    return false
  }
}

/** null: there is nobody to send it to, or it would be of no use. */
async function claimsOf(ctx: Context, { kind, to = '', userId }: MailDocument): Promise<MailClaims | null> {
  const wanted = { email: 1, tokenVersion: 1 }
  const owner = await ctx.model(User).findOne({ email: to }, wanted).lean()
  if (kind === 'reset_password') {
    return owner && { userId: owner._id.toHexString(), tokenVersion: owner.tokenVersion, email: owner.email }
  }
  const user = await ctx.model(User).findById(userId, wanted).lean()
  if (!user || owner) return null
  return { userId: user._id.toHexString(), tokenVersion: user.tokenVersion, email: user.email, newEmail: to }
}

import { errors, jwtVerify, SignJWT } from 'jose'
import { z } from 'zod'
import type { Config } from '../../config/index.js'
import type { Caller } from '../contract/caller.js'
import { Refusal } from '../contract/errors.js'
import { id } from '../contract/types.js'

const ALGORITHM = 'HS256'
const ISSUER = 'holdfast'
const AUDIENCE = 'holdfast'

/** Whom a token stands for. `users.authenticate` says whether it still does: role and password may have changed. */
export interface TokenSubject {
  userId: string
  role: 'user' | 'admin'
  /** The user's at signing; a new password raises it, and tokens from before stop working. */
  tokenVersion: number
  /** Of the session that it is of, if any: it works as long as that one. */
  sessionId?: string
}

export interface TokenClaims extends TokenSubject {
  /** It is an API key, and may do this alone. */
  apiKey?: { id: string; scopes: readonly string[] }
  expiresAt: Date
}

const wayIn = ({ sessionId, apiKey }: Pick<TokenClaims, 'sessionId' | 'apiKey'>) => ({
  ...(sessionId !== undefined && { sessionId }),
  ...(apiKey && { apiKeyId: apiKey.id }),
})

/** What of a token may have changed since it was signed, for `users.authenticate`. */
export const tokenStateOf = ({ userId, tokenVersion, ...by }: TokenClaims) => ({
  userId,
  tokenVersion,
  ...wayIn(by),
})

/** Who calls by a token: its holder, in the role that they have now. */
export const callerOf = ({ userId, ...by }: TokenClaims, role: Caller['role']): Caller => ({
  userId,
  role,
  ...wayIn(by),
})

const payload = z.object({
  sub: id,
  role: z.enum(['user', 'admin']),
  tokenVersion: z.int().min(0),
  sid: id.optional(),
  exp: z.int(),
})

/** By which secrets a token is accepted: two while the one is replaced by the other. */
type Accepting = Pick<Config, 'authSecret'> & Partial<Pick<Config, 'authSecretAlso'>>

/** A signed JWT, good for so long from `now`. */
export function signToken(
  { userId, role, tokenVersion, sessionId }: TokenSubject,
  config: Pick<Config, 'authSecret' | 'tokenTtlMs'>,
  now: Date,
  ttlMs = config.tokenTtlMs,
): Promise<string> {
  return new SignJWT({ role, tokenVersion, ...(sessionId !== undefined && { sid: sessionId }) })
    .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT' })
    .setSubject(userId)
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setIssuedAt(now)
    .setExpirationTime(Math.ceil((now.getTime() + ttlMs) / 1000))
    .sign(key(config.authSecret))
}

/** What a token says, once its signature and times hold. Throws `unauthenticated`, never saying more than needed. */
export async function verifyToken(token: string, config: Accepting, now: Date): Promise<TokenClaims> {
  try {
    const { sub, role, tokenVersion, sid, exp } = payload.parse(await verified(token, AUDIENCE, config, now))
    const expiresAt = new Date(exp * 1000)
    return { userId: sub, role, tokenVersion, ...(sid !== undefined && { sessionId: sid }), expiresAt }
  } catch (error) {
    const message = error instanceof errors.JWTExpired ? 'The token has expired.' : 'The token is not valid.'
    throw new Refusal('unauthenticated', message, undefined, { cause: error })
  }
}

/** What a mail's token is for: a token of one audience is none of another, nor one for the gateway. */
export type MailPurpose = 'reset_password' | 'confirm_email'

/** What holds as long as a mail's token works: it works once, because what it is for changes one of these. */
export interface MailClaims {
  userId: string
  tokenVersion: number
  /** The user's address at signing. */
  email: string
  /** The one that it is to be. */
  newEmail?: string
}

const mailPayload = z.object({
  sub: id,
  tokenVersion: z.int().min(0),
  email: z.string(),
  newEmail: z.string().optional(),
})

export const signMailToken = (
  { userId, ...claims }: MailClaims,
  { purpose, ttlMs }: { purpose: MailPurpose; ttlMs: number },
  { authSecret }: Pick<Config, 'authSecret'>,
  now: Date,
): Promise<string> =>
  new SignJWT({ ...claims })
    .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT' })
    .setSubject(userId)
    .setIssuer(ISSUER)
    .setAudience(`${AUDIENCE}:${purpose}`)
    .setIssuedAt(now)
    .setExpirationTime(Math.ceil((now.getTime() + ttlMs) / 1000))
    .sign(key(authSecret))

/** Throws `mail_token_invalid`. */
export async function verifyMailToken(
  token: string,
  purpose: MailPurpose,
  config: Accepting,
  now: Date,
): Promise<MailClaims> {
  try {
    const { sub, tokenVersion, email, newEmail } = mailPayload.parse(
      await verified(token, `${AUDIENCE}:${purpose}`, config, now),
    )
    return { userId: sub, tokenVersion, email, ...(newEmail !== undefined && { newEmail }) }
  } catch (error) {
    throw mailTokenInvalid(error)
  }
}

export const mailTokenInvalid = (cause?: unknown): Refusal =>
  new Refusal('mail_token_invalid', 'The token of the mail does not work, or no more: ask for another.', undefined, {
    cause,
  })

/** The payload of a token for this audience, by either secret. */
async function verified(token: string, audience: string, config: Accepting, now: Date): Promise<unknown> {
  const { authSecret, authSecretAlso } = config
  const verify = (secret: string) =>
    jwtVerify(token, key(secret), {
      algorithms: [ALGORITHM],
      issuer: ISSUER,
      audience,
      currentDate: now,
      requiredClaims: ['sub', 'iat', 'exp'],
    })
  const { payload } = await verify(authSecret).catch((error: unknown) => {
    if (authSecretAlso && error instanceof errors.JWSSignatureVerificationFailed) return verify(authSecretAlso)
    throw error
  })
  return payload
}

const key = (secret: string): Uint8Array => new TextEncoder().encode(secret)

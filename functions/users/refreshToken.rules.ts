import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Config } from '../../config/index.js'

/**
 * A refresh token, `hfr.<session>.<secret>.<mark>`. The secret is 32 bytes, of which the session stores a hash. The mark
 * says that we gave the token out: one with a true mark whose secret is not the session's was used before, or is about to
 * be used by two; anything else is made up, and ends nobody's session.
 */
export interface RefreshToken {
  sessionId: string
  secret: string
  mark: string
}

export const REFRESH_TOKEN = /^hfr\.([0-9a-f]{24})\.([\w-]{43})\.([\w-]{22})$/

type Secrets = Pick<Config, 'authSecret' | 'authSecretAlso'>

/** Of a text that fits REFRESH_TOKEN. */
export function readRefreshToken(text: string): RefreshToken {
  const [, sessionId = '', secret = '', mark = ''] = REFRESH_TOKEN.exec(text) ?? []
  return { sessionId, secret, mark }
}

export const writeRefreshToken = ({ authSecret }: Secrets, sessionId: string, secret: string): string =>
  `hfr.${sessionId}.${secret}.${markOf(authSecret, sessionId, secret)}`

export const wasGivenOut = (config: Secrets, { sessionId, secret, mark }: RefreshToken): boolean =>
  accepted(config).some((key) => timingSafeEqual(Buffer.from(markOf(key, sessionId, secret)), Buffer.from(mark)))

/**
 * The secret that a request gets for this one, by each AUTH_SECRET that is accepted, the one that signs first. The same
 * request gets the same again, though only its hash was stored; without ours nobody can tell it from what it follows.
 */
export const secretsAfter = (config: Secrets, { sessionId, secret }: RefreshToken, refreshId: string): string[] =>
  accepted(config).map((key) => hmac(key, `next refresh token\n${sessionId}\n${secret}\n${refreshId}`))

const markOf = (key: string, sessionId: string, secret: string): string =>
  hmac(key, `mark of a refresh token\n${sessionId}\n${secret}`).slice(0, 22)

const accepted = ({ authSecret, authSecretAlso }: Secrets): string[] => [
  authSecret,
  ...(authSecretAlso ? [authSecretAlso] : []),
]

const hmac = (key: string, text: string): string => createHmac('sha256', key).update(text).digest('base64url')

import type { Output } from '../../platform/contract/contract.js'
import type { Context } from '../../platform/runtime/function.js'
import { signToken } from '../../platform/runtime/tokens.js'
import type { users } from './contract.js'
import { writeRefreshToken } from './refreshToken.rules.js'
import type { SessionDocument } from './session.model.js'
import type { UserDocument } from './user.model.js'
import { presentUser, type VisibleUser } from './user.presenter.js'

/** Whose session it may be. */
export type SessionUser = VisibleUser & Pick<UserDocument, 'tokenVersion'>

/** What signing in and refreshing answer: the user, a token that stands for them from now, and the one that gets the next. */
export async function presentSession(
  { config, now }: Pick<Context, 'config' | 'now'>,
  user: SessionUser,
  { sessionId, secret }: { sessionId: string; secret: string },
): Promise<Output<typeof users.signIn>> {
  const at = now()
  const { role, tokenVersion } = user
  const subject = { userId: user._id.toHexString(), role, tokenVersion, sessionId }
  return {
    user: presentUser(user),
    token: await signToken(subject, config, at, config.sessions.tokenTtlMs),
    tokenExpiresAt: new Date(at.getTime() + config.sessions.tokenTtlMs).toISOString(),
    refreshToken: writeRefreshToken(config, sessionId, secret),
    sessionId,
  }
}

/** A session as its user sees it. */
export const presentSessionInfo = (
  { _id, device, network, createdAt, lastUsedAt, expiresAt }: SessionDocument,
  { caller }: Pick<Context, 'caller'>,
): Output<typeof users.listSessions>['items'][number] => ({
  id: _id.toHexString(),
  ...(device !== undefined && { device }),
  ...(network !== undefined && { network }),
  createdAt: createdAt.toISOString(),
  lastUsedAt: lastUsedAt.toISOString(),
  expiresAt: expiresAt.toISOString(),
  current: caller?.sessionId === _id.toHexString(),
})

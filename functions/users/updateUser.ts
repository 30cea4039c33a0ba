import { DUPLICATE_KEY } from '../../platform/database/bulkErrors.js'
import { Refusal } from '../../platform/contract/errors.js'
import { define } from '../../platform/runtime/function.js'
import { updateVersion, versionConflict } from '../../platform/runtime/updateVersion.js'
import { searchKey } from '../../platform/lib/searchKey.js'
import { users } from './contract.js'
import { assertVisible, userNotFound } from './user.access.js'
import { emailTaken } from './user.changes.js'
import { User } from './user.model.js'
import { presentUser, USER_FIELDS } from './user.presenter.js'

export default define(users.updateUser, async (ctx, { userId, version, set }) => {
  assertVisible(ctx, userId)
  const known = await ctx.model(User).findById(userId, { version: 1, role: 1 }).lean()
  if (!known) throw userNotFound(userId)
  if (set.role !== undefined && ctx.caller?.role === 'user') {
    throw new Refusal('forbidden', 'Only admins change roles.')
  }
  // A key that may write users must not become an admin by it.
  if (
    ctx.caller?.apiKeyId !== undefined &&
    (set.role !== undefined || (set.email !== undefined && known.role === 'admin'))
  ) {
    throw new Refusal('forbidden', 'API keys change no roles, and no addresses of admins.')
  }
  // A stolen session must not become a stolen account, nor a mistyped address a lost one.
  if (set.email !== undefined && ctx.caller?.userId === userId) {
    throw new Refusal('forbidden', "One's own e-mail address is changed by requestEmailChange, and confirmed.")
  }

  if (known.version !== version) throw versionConflict('user', known.version)

  const changed = await updateVersion(ctx.model(User), 'user', {
    id: userId,
    version,
    set: { ...set, ...(set.name !== undefined && { nameKey: searchKey(set.name) }) },
    updatedAt: ctx.now(),
    ...(set.role !== undefined && { stamps: { accessChangedAt: true } }),
    projection: USER_FIELDS,
    refusal: (current) => (current ? undefined : userNotFound(userId)),
  }).catch((error: unknown) => {
    throw (error as { code?: unknown }).code === DUPLICATE_KEY ? emailTaken() : error
  })
  return presentUser(changed)
})

import { DUPLICATE_KEY } from '../../platform/database/bulkErrors.js'
import { Refusal } from '../../platform/contract/errors.js'
import { define } from '../../platform/runtime/function.js'
import { updateVersion, versionConflict } from '../../platform/runtime/updateVersion.js'
import { searchKey } from '../../platform/lib/searchKey.js'
import { users } from './contract.js'
import { tryPassword } from './passwordTries.changes.js'
import { assertVisible, userNotFound } from './user.access.js'
import { emailTaken } from './user.changes.js'
import { User } from './user.model.js'
import { presentUser, USER_FIELDS } from './user.presenter.js'

export default define(users.updateUser, async (ctx, { userId, version, set, password }) => {
  assertVisible(ctx, userId)
  const wanted = { version: 1, email: 1, role: 1, passwordHash: 1 }
  const known = await ctx.model(User).findById(userId, wanted).lean()
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
  // A stolen session must not become a stolen account: whoever changes their own address shows the password again.
  if (set.email !== undefined && ctx.caller?.userId === userId) {
    if (password === undefined || !(await tryPassword(ctx, known, known.email, password))) {
      throw new Refusal('unauthenticated', "Changing one's own e-mail address needs the password.")
    }
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

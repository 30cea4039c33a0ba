import { Refusal } from '../../platform/contract/errors.js'
import type { Context } from '../../platform/runtime/function.js'
import { invalidInput } from '../../platform/runtime/invocation.js'
import { hashPassword } from '../../platform/runtime/passwords.js'
import { User, type UserDocument } from './user.model.js'
import { USER_FIELDS, type VisibleUser } from './user.presenter.js'

const ATTEMPTS = 5

type Known = VisibleUser & Pick<UserDocument, 'passwordHash' | 'tokenVersion'>
const KNOWN_FIELDS = { ...USER_FIELDS, passwordHash: 1, tokenVersion: 1 } as const

/**
 * Writes a new password and raises the token version. Guarded by the versions that `check` saw, so that a write that
 * lands late never undoes a newer password; when somebody else changed the user meanwhile, it looks and checks again.
 * `check` gets null for an unknown user, and throws where the password may not be changed.
 */
export async function replacePassword(
  ctx: Context,
  userId: string,
  newPassword: string,
  check: (user: Known | null) => Promise<Known> | Known,
): Promise<Known> {
  const model = ctx.model(User)
  let passwordHash: string | undefined
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const user = await check(await model.findById(userId, KNOWN_FIELDS).lean())
    if (isOwnEmail(newPassword, user.email)) throw ownEmail()
    passwordHash ??= await hashPassword(newPassword)
    const changed = await model
      .findOneAndUpdate(
        { _id: user._id, version: user.version, tokenVersion: user.tokenVersion },
        {
          $set: { passwordHash, updatedAt: ctx.now() },
          $inc: { tokenVersion: 1, version: 1 },
          $currentDate: { accessChangedAt: true },
        },
        { returnDocument: 'after', projection: KNOWN_FIELDS },
      )
      .lean()
    if (changed) return changed
  }
  throw new Refusal('unavailable', 'The user is being changed by others all the time.')
}

const isOwnEmail = (password: string, email: string): boolean => password.trim().toLowerCase() === email

const ownEmail = (): Refusal =>
  invalidInput({ issues: [{ path: ['newPassword'], message: 'must not be the e-mail address' }] })

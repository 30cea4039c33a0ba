import mongoose from 'mongoose'
import { DUPLICATE_KEY } from '../../platform/database/bulkErrors.js'
import { Refusal } from '../../platform/contract/errors.js'
import type { Context } from '../../platform/runtime/function.js'
import { hashPassword } from '../../platform/runtime/passwords.js'
import { isSameRequest, type RequestMark } from '../../platform/runtime/requests.js'
import { searchKey } from '../../platform/lib/searchKey.js'
import { User, type UserDocument } from './user.model.js'

export interface NewUser {
  userId: string
  name: string
  email: string
  role: 'user' | 'admin'
  password?: string | undefined
}

/**
 * Inserts a user, or answers the one that the same request inserted before. Throws `user_id_reused`, `email_taken`.
 * `isSamePassword` compares what the request mark leaves out.
 */
export async function insertUserOnce(
  ctx: Context,
  { userId, name, email, role, password }: NewUser,
  request: RequestMark,
  isSamePassword: (earlier: UserDocument) => Promise<boolean>,
): Promise<UserDocument> {
  const at = ctx.now()
  const user: UserDocument = {
    _id: new mongoose.Types.ObjectId(userId),
    name,
    nameKey: searchKey(name),
    email,
    role,
    ...(password !== undefined && { passwordHash: await hashPassword(password) }),
    tokenVersion: 0,
    balance: 0,
    netDeposits: 0,
    bookings: [],
    pendingBookings: [],
    tombstones: [],
    forgottenBefore: new Date(0),
    transfers: [],
    voidedTransfers: [],
    recentLedger: [],
    archivedLedger: { count: 0, balance: 0 },
    version: 0,
    request,
    createdAt: at,
    updatedAt: at,
  }
  try {
    await ctx.model(User).create(user)
    return user
  } catch (error) {
    if ((error as { code?: unknown }).code !== DUPLICATE_KEY) throw error
  }
  // A repeated request collides on both keys, and the error names only one: the id decides. Linearizable, because the
  // document in the way may have been inserted a moment ago and not be majority yet.
  const earlier = await ctx.model(User).findById(user._id).readConcern('linearizable').lean()
  if (!earlier) throw emailTaken()
  if (!isSameRequest(earlier.request, request) || !(await isSamePassword(earlier))) {
    throw new Refusal('user_id_reused', `The id ${userId} belongs to a user made by another request.`)
  }
  return earlier
}

export const emailTaken = (): Refusal => new Refusal('email_taken', 'Another user has this e-mail address.')

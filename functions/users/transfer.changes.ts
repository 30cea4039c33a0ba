import mongoose from 'mongoose'
import { Refusal } from '../../platform/contract/errors.js'
import type { Context } from '../../platform/runtime/function.js'
import { isSameRequest, type RequestMark } from '../../platform/runtime/requests.js'
import { Unknown } from '../../protocol/store.js'
import type { TransferKind } from './transfer.kinds.js'
import type { TransferDocument } from './transfer.model.js'
import { transferProtocols } from './transfer.engine.js'
import { userNotFound } from './user.access.js'
import { User } from './user.model.js'

/**
 * The whole of depositFunds and withdrawFunds but the reply: returns once the money has moved, throws the refusal, the
 * same ones for the same request again.
 */
export async function transferOnce(
  ctx: Context,
  kind: TransferKind,
  { id, userId, amount }: { id: string; userId: string; amount: number },
  request: RequestMark,
): Promise<void> {
  const { open, drive, read } = ctx.use(transferProtocols[kind.name])
  const _id = new mongoose.Types.ObjectId(id)
  const idReused = () =>
    new Refusal(kind.idReused, `This ${kind.name}Id was sent before with another input or by another caller.`)

  const at = ctx.now()
  const asked: TransferDocument = {
    _id,
    userId: new mongoose.Types.ObjectId(userId),
    amount,
    state: 'PENDING',
    request,
    requestId: ctx.requestId,
    createdAt: at,
    lastModified: at,
  }
  try {
    const user = await ctx.model(User).exists({ _id: userId })
    // A record of this id has a user who exists: then the input is another one.
    if (!user) throw (await read(_id)) ? idReused() : userNotFound(userId)
    const transfer = await open(asked)
    if (!isSameRequest(transfer.request, request)) throw idReused()
    const settled = await drive(transfer)
    if (settled.state === 'CANCELLED') throw new Refusal(kind.refusal.code, kind.refusal.message)
  } catch (error) {
    if (!(error instanceof Unknown)) throw error
    ctx.log.warn({ [`${kind.name}Id`]: id, why: error.message }, 'outcome unknown')
    throw new Refusal(
      'deadline_exceeded',
      `The ${kind.name} did not settle in time; it will by itself. Send the same request again to learn how.`,
      { [`${kind.name}Id`]: id },
      { cause: error },
    )
  }
}

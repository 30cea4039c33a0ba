import { Refusal } from '../../platform/contract/errors.js'
import { define, type Context } from '../../platform/runtime/function.js'
import { dueFilters, sweep } from '../../protocol/retries.js'
import { users } from './contract.js'
import { deliver } from './mail.changes.js'
import { MailRequest, type MailDocument } from './mail.model.js'

const PAGE = 500
const AT_ONCE = 4

export default define(users.recoverMails, async (ctx, { mailId }) => {
  const pending = mailId === undefined ? await findStuck(ctx) : await findOne(ctx, mailId)
  const report = { examined: pending.length, sent: 0, parked: 0 }
  await sweep(ctx, pending, AT_ONCE, async (mail) => {
    const end = await deliver(ctx, mail)
    if (end === 'sent' || end === 'parked') report[end]++
  })
  return report
})

/** One that is being sent all the same is sent twice. Those that have not failed come first. */
async function findStuck(ctx: Context): Promise<MailDocument[]> {
  const since = new Date(ctx.now().getTime() - ctx.config.recovery.stuckAfterMs)
  // createdAt is never after lastModified: its index narrows, lastModified decides.
  const stuck = { state: 'PENDING' as const, createdAt: { $lt: since }, parked: false }
  const { fresh, again } = dueFilters(ctx, 'failures')
  const oldest = (filter: object) =>
    ctx
      .model(MailRequest)
      .find({ ...stuck, ...filter })
      .sort({ createdAt: 1 })
      .limit(PAGE)
      .lean()
  return [...(await oldest(fresh)), ...(await oldest(again))]
}

async function findOne(ctx: Context, mailId: string): Promise<MailDocument[]> {
  const found = await ctx.model(MailRequest).find({ state: 'PENDING', mailId }).sort({ createdAt: 1 }).limit(1).lean()
  if (found.length === 0) throw new Refusal('mail_not_found', `No mail ${mailId} waits to be sent.`)
  return found
}

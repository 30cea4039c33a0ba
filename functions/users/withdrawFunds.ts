import { define } from '../../platform/runtime/function.js'
import { requestOf } from '../../platform/runtime/requests.js'
import { users } from './contract.js'
import { WITHDRAWAL } from './transfer.kinds.js'
import { transferOnce } from './transfer.changes.js'
import { readUser } from './user.access.js'
import { presentUser } from './user.presenter.js'

export default define(users.withdrawFunds, async (ctx, { withdrawalId, userId, amount }) => {
  const request = requestOf(ctx, { withdrawalId, userId, amount })
  await transferOnce(ctx, WITHDRAWAL, { id: withdrawalId, userId, amount }, request)
  return presentUser(await readUser(ctx, userId))
})

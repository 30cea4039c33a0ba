import { define } from '../../platform/runtime/function.js'
import { requestOf } from '../../platform/runtime/requests.js'
import { users } from './contract.js'
import { DEPOSIT } from './transfer.kinds.js'
import { transferOnce } from './transfer.changes.js'
import { readUser } from './user.access.js'
import { presentUser } from './user.presenter.js'

export default define(users.depositFunds, async (ctx, { depositId, userId, amount }) => {
  const request = requestOf(ctx, { depositId, userId, amount })
  await transferOnce(ctx, DEPOSIT, { id: depositId, userId, amount }, request)
  return presentUser(await readUser(ctx, userId))
})

import { define } from '../../platform/runtime/function.js'
import { users } from './contract.js'
import { readUser } from './user.access.js'
import { presentUser } from './user.presenter.js'

export default define(users.getUser, async (ctx, { userId }) => presentUser(await readUser(ctx, userId)))

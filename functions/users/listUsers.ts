import type { QueryFilter } from 'mongoose'
import { define } from '../../platform/runtime/function.js'
import { pageOf } from '../../platform/runtime/pages.js'
import { searchKey } from '../../platform/lib/searchKey.js'
import { users } from './contract.js'
import { User, type UserDocument } from './user.model.js'
import { presentUser, USER_FIELDS } from './user.presenter.js'

export default define(users.listUsers, async (ctx, { query, limit, cursor }) => {
  const { documents, nextCursor } = await pageOf(
    ctx.model(User),
    query === undefined ? {} : startsWith(query),
    { limit, cursor },
    'oldestFirst',
    { projection: USER_FIELDS },
  )
  return { items: documents.map(presentUser), nextCursor }
})

/** Both are stored in lower case, so that the beginning is a range of an index whatever the case. */
function startsWith(query: string): QueryFilter<UserDocument> {
  const beginning = new RegExp(`^${searchKey(query).replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')}`)
  return { $or: [{ nameKey: beginning }, { email: beginning }] }
}

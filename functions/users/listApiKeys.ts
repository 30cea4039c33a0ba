import { define } from '../../platform/runtime/function.js'
import { pageOf } from '../../platform/runtime/pages.js'
import { ApiKey } from './apiKey.model.js'
import { presentApiKey } from './apiKey.presenter.js'
import { users } from './contract.js'

export default define(users.listApiKeys, async (ctx, { limit, cursor }) => {
  const { documents, nextCursor } = await pageOf(ctx.model(ApiKey), {}, { limit, cursor }, 'newestFirst')
  return { items: documents.map(presentApiKey), nextCursor }
})

import { Refusal } from '../../platform/contract/errors.js'
import type { News } from '../../platform/contract/news.js'
import { define } from '../../platform/runtime/function.js'
import { feeds } from '../feeds/contract.js'
import { lobbies, type news } from './contract.js'
import { lobbyFor } from './lobby.access.js'

export default define(lobbies.postToLobby, async (ctx, { lobbyId, messageId, text }) => {
  await lobbyFor(ctx, lobbyId)
  const userId = ctx.caller?.userId ?? 'system'
  // The caller is part of the key: somebody else's messageId is another message.
  const told: News<typeof news, 'toLobby'> = { name: 'lobby:message', data: { messageId, userId, text } }
  const { entries } = await ctx.call(feeds.appendToFeed, {
    feed: `lobby:${lobbyId}`,
    entries: [
      {
        key: `message:${userId}:${messageId}`,
        ...told,
        at: ctx.now().toISOString(),
      },
    ],
  })
  const [stored] = entries
  if (stored?.data['text'] !== text) {
    throw new Refusal('message_id_reused', 'This messageId was sent before with another text.')
  }
  return { messageId, seq: stored.seq }
})

import { define } from '../../platform/runtime/function.js'
import { invalidInput } from '../../platform/runtime/invocation.js'
import { feeds } from '../feeds/contract.js'
import { lobbies } from './contract.js'
import { lobbyFor } from './lobby.access.js'
import { presentLobby, presentMembers } from './lobby.presenter.js'
import { membersOf } from './presence.news.js'

/** Whether the caller may, and from where on. The gateway worker that asked then lets its socket follow the feed. */
export default define(lobbies.joinLobby, async (ctx, { lobbyId, lastSeq }) => {
  const found = await lobbyFor(ctx, lobbyId)
  const { heads } = await ctx.call(feeds.readFeedHeads, { feeds: [`lobby:${lobbyId}`] })
  const seq = heads[0] ?? 0
  if (lastSeq !== undefined && lastSeq > seq) {
    throw invalidInput({ issues: [{ path: ['lastSeq'], message: `the lobby has only come to ${seq}` }] })
  }
  const members = new Set([...(ctx.caller ? [ctx.caller.userId] : []), ...(await membersOf(ctx, found._id))])
  return { ...presentLobby(found), ...presentMembers(members), seq }
})

import { define } from '../../platform/runtime/function.js'
import { lobbies } from './contract.js'
import { openLobby } from './lobby.access.js'
import { presentLobby, presentMembers } from './lobby.presenter.js'
import { membersOf } from './presence.news.js'

export default define(lobbies.getLobby, async (ctx, { lobbyId }) => {
  const found = await openLobby(ctx, lobbyId)
  return { ...presentLobby(found), ...presentMembers(await membersOf(ctx, found._id)) }
})

import { Refusal } from '../../platform/contract/errors.js'
import type { Context } from '../../platform/runtime/function.js'
import { Lobby, type LobbyDocument } from './lobby.model.js'

/** The lobby, if it is open. */
export async function openLobby(ctx: Context, lobbyId: string): Promise<LobbyDocument> {
  const found = await ctx.model(Lobby).findOne({ _id: lobbyId, deleted: false }).lean()
  if (!found) throw lobbyNotFound(lobbyId)
  return found
}

/** The same, if the caller may be there. */
export async function lobbyFor(ctx: Context, lobbyId: string): Promise<LobbyDocument> {
  const found = await openLobby(ctx, lobbyId)
  if (found.removed.some((each) => each.equals(ctx.caller?.userId ?? ''))) {
    throw new Refusal('removed_from_lobby', 'An admin removed you from the lobby.')
  }
  return found
}

export const lobbyNotFound = (lobbyId: string): Refusal =>
  new Refusal('lobby_not_found', `There is no lobby ${lobbyId}.`)

import { define } from '../../platform/runtime/function.js'
import { lobbies } from './contract.js'

/** Which sockets are in a lobby is the gateway workers' knowledge, which reportPresence passes on. */
export default define(lobbies.leaveLobby, (_ctx, { lobbyId }) => Promise.resolve({ lobbyId }))

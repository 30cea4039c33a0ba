import { newId } from '../calls.js'
import type { Lobby, Train } from '../operations.js'
import {
  callError,
  insertOnce,
  invalid,
  nowOf,
  pageOf,
  Refused,
  requestOf,
  type Handler,
  type LobbyRecord,
  type Session,
  type World,
} from './world.js'

/** Trains, as far as their lobbies need them, and lobbies. */

const presentTrain = ({ request: _request, ...train }: Train & { request: string }): Train => train

export const createTrain: Handler<'createTrain'> = (world, input, caller) => {
  const { trainId: id = newId(), availableSeats, ...terms } = input
  const at = nowOf(world)
  const train = {
    ...{ id, route: terms.route, departureTime: terms.departureTime, arrivalTime: terms.arrivalTime },
    ...{ seats: availableSeats, availableSeats, pricePerSeat: terms.pricePerSeat },
    ...{ version: 0, createdAt: at, updatedAt: at, request: requestOf(caller.userId, input) },
  }
  return presentTrain(insertOnce(world.trains, 'train', train))
}

export const getTrain: Handler<'getTrain'> = ({ trains }, { trainId }) => {
  const train = trains.get(trainId)
  if (!train) throw new Refused('train_not_found', `There is no train ${trainId}.`)
  return presentTrain(train)
}

const presentLobby = ({ id, trainId, createdAt }: LobbyRecord): Lobby => ({ id, trainId, createdAt })

function presentMembers({ members }: LobbyRecord): { members: string[]; memberCount: number } {
  const unique = [...new Set(members.values())]
  return { members: unique, memberCount: unique.length }
}

const notFound = (lobbyId: string): Refused => new Refused('lobby_not_found', `There is no lobby ${lobbyId}.`)

function openLobby({ lobbies }: World, lobbyId: string): LobbyRecord {
  const lobby = lobbies.get(lobbyId)
  if (!lobby || lobby.deleted) throw notFound(lobbyId)
  return lobby
}

const removed = (): Refused => new Refused('removed_from_lobby', 'An admin removed you from the lobby.')

function lobbyFor(world: World, lobbyId: string, userId: string): LobbyRecord {
  const lobby = openLobby(world, lobbyId)
  if (lobby.removed.has(userId)) throw removed()
  return lobby
}

const feedOf = (lobbyId: string): string => `lobby:${lobbyId}`

export const createLobby: Handler<'createLobby'> = (world, input, caller) => {
  const { lobbyId: id = newId(), trainId } = input
  if (!world.trains.has(trainId)) throw new Refused('train_not_found', `There is no train ${trainId}.`)
  const request = requestOf(caller.userId, input)
  const made = {
    id,
    trainId,
    createdAt: nowOf(world),
    deleted: false,
    removed: new Set<string>(),
    members: new Map(),
    request,
  }
  return presentLobby(insertOnce(world.lobbies, 'lobby', made))
}

export const deleteLobby: Handler<'deleteLobby'> = (world, { lobbyId }) => {
  const lobby = world.lobbies.get(lobbyId)
  if (!lobby) throw notFound(lobbyId)
  if (lobby.deleted) return { lobbyId }
  lobby.deleted = true
  world.feeds.append(feedOf(lobbyId), { name: 'lobby:deleted', at: nowOf(world), lobbyId })
  world.feeds.end(feedOf(lobbyId))
  for (const session of lobby.members.keys()) session.lobbies.delete(lobbyId)
  lobby.members.clear()
  return { lobbyId }
}

export const getLobby: Handler<'getLobby'> = (world, { lobbyId }) => {
  const lobby = openLobby(world, lobbyId)
  return { ...presentLobby(lobby), ...presentMembers(lobby) }
}

export const listLobbies: Handler<'listLobbies'> = (world, { trainId, ...page }) => {
  const matching = [...world.lobbies.values()].filter(
    (lobby) => !lobby.deleted && (trainId === undefined || lobby.trainId === trainId),
  )
  const { found, nextCursor } = pageOf(matching, 'oldestFirst', page)
  return { items: found.map(presentLobby), nextCursor }
}

export const joinLobby: Handler<'joinLobby'> = (world, { lobbyId, lastSeq }, { userId, session }) => {
  const lobby = lobbyFor(world, lobbyId, userId)
  const seq = world.feeds.seqOf(feedOf(lobbyId))
  if (lastSeq !== undefined && lastSeq > seq) throw invalid('lastSeq', `the lobby has only come to ${seq}`)
  if (!session.lobbies.has(lobbyId)) enter(world, lobby, userId, session)
  return { ...presentLobby(lobby), ...presentMembers(lobby), seq }
}

function enter(world: World, lobby: LobbyRecord, userId: string, session: Session): void {
  const isNew = ![...lobby.members.values()].includes(userId)
  session.lobbies.add(lobby.id)
  lobby.members.set(session, userId)
  if (isNew) tellMembers(world, lobby, { joined: [userId], left: [] })
}

/** Takes a client out of a lobby. */
export function leave(world: World, lobbyId: string, session: Session): void {
  session.lobbies.delete(lobbyId)
  const lobby = world.lobbies.get(lobbyId)
  const userId = lobby?.members.get(session)
  if (!lobby || userId === undefined) return
  lobby.members.delete(session)
  if (![...lobby.members.values()].includes(userId)) tellMembers(world, lobby, { joined: [], left: [userId] })
}

function tellMembers(world: World, lobby: LobbyRecord, change: { joined: string[]; left: string[] }): void {
  const told = { name: 'lobby:members', at: nowOf(world), lobbyId: lobby.id, ...change }
  world.feeds.append(feedOf(lobby.id), { ...told, count: presentMembers(lobby).memberCount })
}

export const leaveLobby: Handler<'leaveLobby'> = (world, { lobbyId }, { session }) => {
  leave(world, lobbyId, session)
  return { lobbyId }
}

export const postToLobby: Handler<'postToLobby'> = (world, input, { userId }) => {
  const { lobbyId, messageId = newId(), text } = input
  lobbyFor(world, lobbyId, userId)
  const told = { name: 'lobby:message', at: nowOf(world), lobbyId, messageId, userId, text }
  const stored = world.feeds.append(feedOf(lobbyId), told, `message:${userId}:${messageId}`)
  if (stored['text'] !== text) {
    throw new Refused('message_id_reused', 'This messageId was sent before with another text.')
  }
  return { messageId, seq: stored.seq }
}

export const removeFromLobby: Handler<'removeFromLobby'> = (world, { lobbyId, userId }) => {
  const lobby = openLobby(world, lobbyId)
  lobby.removed.add(userId)
  world.feeds.append(feedOf(lobbyId), { name: 'lobby:removed', at: nowOf(world), lobbyId, userId }, `removed:${userId}`)
  // Their clients try to join again.
  world.feeds.end(feedOf(lobbyId), userId, callError(removed(), 'joinLobby'))
  for (const [session, member] of [...lobby.members]) if (member === userId) leave(world, lobbyId, session)
  return { lobbyId, userId }
}

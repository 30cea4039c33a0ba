import { z } from 'zod'
import { defineContract, operation } from '../../platform/contract/contract.js'
import { defineNews } from '../../platform/contract/news.js'
import { id, listOf, page, someText, time } from '../../platform/contract/types.js'

const feedOf = ({ lobbyId }: { lobbyId: string }): string => `lobby:${lobbyId}`
const within = { feed: feedOf, refusal: 'not_in_lobby' } as const

export const lobby = z.object({ id, trainId: id, createdAt: time })

/** Users with a socket in the lobby, also one that was cut off a few seconds ago. */
const members = z.array(id)
/** The first 1,000 of them, and how many they are. */
const presence = { members, memberCount: z.int() }

/** In one report: users, in all of its lobbies together. Twice as many as a gateway worker has connections. */
export const MAX_REPORTED = 20_000
const TOO_MANY = `at most ${MAX_REPORTED} users in a report`

/** Where the lobby's sequence is. */
const seq = z.int().min(0)

/** All to everybody in the lobby. */
export const news = defineNews({
  'lobby:message': {
    when: 'Somebody said something (`postToLobby`).',
    toLobby: z.object({ messageId: id, userId: id, text: z.string() }),
  },
  'lobby:members': {
    when: 'Users came or went, gathered for half a second; who loses the connection goes 15 seconds later.',
    toLobby: z.object({ joined: members, left: members, count: z.int() }),
  },
  'lobby:removed': {
    when: "An admin removed a user, whose connections are told it as the lobby's last.",
    toLobby: z.object({ userId: id }),
  },
  'lobby:deleted': { when: 'The lobby is closed: the last that it says.', toLobby: z.object({}) },
})

export const lobbies = defineContract('lobbies', {
  createLobby: operation({
    summary: 'Opens a lobby of a train.',
    access: 'admin',
    input: z.strictObject({ lobbyId: id.optional(), trainId: id }),
    output: lobby,
    errors: ['lobby_id_reused', 'train_not_found'],
    deadline: 'quick',
    idempotent: true,
    key: ({ trainId }) => trainId,
    newId: 'lobbyId',
  }),
  deleteLobby: operation({
    summary: 'Closes a lobby: who is in it gets lobby:deleted as its last message.',
    access: 'admin',
    input: z.strictObject({ lobbyId: id }),
    output: z.object({ lobbyId: id }),
    errors: ['lobby_not_found'],
    deadline: 'quick',
    idempotent: true,
    key: ({ lobbyId }) => lobbyId,
  }),
  getLobby: operation({
    summary: 'One lobby, and who is there now: of many the first 1,000.',
    access: 'user',
    input: z.strictObject({ lobbyId: id }),
    output: lobby.extend(presence),
    errors: ['lobby_not_found'],
    deadline: 'quick',
    idempotent: true,
    reads: true,
  }),
  listLobbies: operation({
    summary: 'Lobbies, oldest first; of one train, or of all.',
    access: 'user',
    input: z.strictObject({ trainId: id.optional(), ...page }),
    output: listOf(lobby),
    errors: ['invalid_input'],
    deadline: 'quick',
    idempotent: true,
    reads: true,
  }),
  joinLobby: operation({
    summary:
      'Lets this connection into a lobby, from `seq` of the answer on; with lastSeq, from behind that, so nothing is missed.',
    access: 'user',
    input: z.strictObject({ lobbyId: id, lastSeq: seq.optional() }),
    output: lobby.extend({ ...presence, seq }),
    errors: ['lobby_not_found', 'removed_from_lobby', 'invalid_input'],
    deadline: 'quick',
    idempotent: true,
    key: ({ lobbyId }) => lobbyId,
    follows: {
      feed: feedOf,
      from: ({ lastSeq }, { seq }) => ({ after: lastSeq ?? seq, again: lastSeq !== undefined }),
    },
  }),
  leaveLobby: operation({
    summary: 'Takes this connection out of a lobby.',
    access: 'user',
    input: z.strictObject({ lobbyId: id }),
    output: z.object({ lobbyId: id }),
    errors: [],
    deadline: 'quick',
    idempotent: true,
    key: ({ lobbyId }) => lobbyId,
    unfollows: feedOf,
  }),
  postToLobby: operation({
    summary: 'Says something to everyone in a lobby, as lobby:message. Counts as 5 requests against the rate.',
    access: 'user',
    input: z.strictObject({ messageId: id.optional(), lobbyId: id, text: someText(2000) }),
    output: z.object({ messageId: id, seq: z.int() }),
    errors: ['not_in_lobby', 'lobby_not_found', 'removed_from_lobby', 'message_id_reused'],
    quota: { count: 'posts', bytes: { quota: 'postBytes', of: ({ text }) => Buffer.byteLength(text) } },
    deadline: 'quick',
    idempotent: true,
    key: ({ lobbyId }) => lobbyId,
    newId: 'messageId',
    weight: 5,
    within,
  }),
  removeFromLobby: operation({
    summary:
      'Puts a user out of a lobby, for good: all connections get lobby:removed, those of the user as their last.',
    access: 'admin',
    input: z.strictObject({ lobbyId: id, userId: id }),
    output: z.object({ lobbyId: id, userId: id }),
    errors: ['lobby_not_found'],
    deadline: 'quick',
    idempotent: true,
    key: ({ lobbyId }) => lobbyId,
  }),

  readLobbyTerms: operation({
    summary: 'For bookings: the train of each lobby, null where there is no such lobby.',
    access: 'internal',
    input: z.strictObject({ lobbyIds: z.array(id).max(1000) }),
    output: z.object({
      /** removed: who may not come back, if anybody. */
      terms: z.array(z.object({ trainId: id, removed: z.array(id).optional() }).nullable()),
    }),
    errors: [],
    deadline: 'quick',
    idempotent: true,
  }),
  findLobbiesOfTrain: operation({
    summary: 'For bookings: the open lobbies of a train, at most 100.',
    access: 'internal',
    input: z.strictObject({ trainId: id }),
    output: z.object({ lobbyIds: z.array(id) }),
    errors: [],
    deadline: 'quick',
    idempotent: true,
  }),
  reportPresence: operation({
    summary: 'For gateway workers: whose sockets a worker has in lobbies, all of them, every few seconds.',
    access: 'internal',
    input: z.strictObject({
      worker: id,
      lobbies: z
        .array(z.strictObject({ lobbyId: id, userIds: z.array(id).max(MAX_REPORTED) }))
        .max(1000)
        .refine((all) => all.reduce((sum, { userIds }) => sum + userIds.length, 0) <= MAX_REPORTED, TOO_MANY),
    }),
    output: z.object({}),
    errors: [],
    deadline: 'quick',
    idempotent: true,
    key: ({ worker }) => worker,
  }),
})

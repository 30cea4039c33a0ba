import type { Types } from 'mongoose'
import type { News } from '../../platform/contract/news.js'
import type { Context } from '../../platform/runtime/function.js'
import { feeds } from '../feeds/contract.js'
import type { news } from './contract.js'
import { Lobby, type LobbyDocument } from './lobby.model.js'
import { Presence } from './presence.model.js'

/** How long a worker's word holds. */
export const PRESENCE_MS = 15_000

/** Users with a socket in a lobby, by what the workers said last. */
export async function membersOf(ctx: Context, lobbyId: Types.ObjectId): Promise<Set<string>> {
  const said = await ctx
    .model(Presence)
    .find({ lobbyId, until: { $gt: ctx.now() } }, { userIds: 1 })
    .lean()
  return new Set(said.flatMap(({ userIds }) => userIds.map((each) => each.toHexString())))
}

/**
 * Tells a lobby who came and went since it was told last: one `lobby:members` for all of them.
 *
 * The feed decides: of several who announce the n-th change at once, the first to append it is right, and everyone brings
 * the lobby's document to what it says. A crash between the two leaves an announcement that the next one finds by its key.
 */
export async function announceMembers(ctx: Context, lobbyId: Types.ObjectId): Promise<void> {
  const lobbies = ctx.model(Lobby)
  while (ctx.remainingMs() > 0) {
    const lobby = await lobbies.findOne({ _id: lobbyId, deleted: false }, { announced: 1 }).lean()
    if (!lobby) return
    const { count } = lobby.announced
    const change = changeOf(lobby.announced, await membersOf(ctx, lobbyId))
    if (change.joined.length + change.left.length === 0) return
    const told: News<typeof news, 'toLobby'> = { name: 'lobby:members', data: change }
    const { entries } = await ctx.call(feeds.appendToFeed, {
      feed: `lobby:${lobbyId.toHexString()}`,
      entries: [{ ...told, key: `members:${count + 1}`, at: ctx.now().toISOString() }],
    })
    const { joined, left } = entries[0]?.data as MembersChange
    const now = new Set([...lobby.announced.userIds.map((each) => each.toHexString()), ...joined])
    for (const each of left) now.delete(each)
    await lobbies.updateOne(
      { _id: lobbyId, 'announced.count': count },
      { $set: { announced: { count: count + 1, userIds: [...now] } } },
    )
  }
}

interface MembersChange {
  [key: string]: unknown
  joined: string[]
  left: string[]
  /** Who is there after it. */
  count: number
}

/** So many at once: all of a large lobby may come or go together, and what is left is told next. */
const MAX_CHANGED = 10_000

function changeOf({ userIds }: LobbyDocument['announced'], present: Set<string>): MembersChange {
  const before = new Set(userIds.map((each) => each.toHexString()))
  const joined = [...present].filter((each) => !before.has(each)).slice(0, MAX_CHANGED)
  const left = [...before].filter((each) => !present.has(each)).slice(0, MAX_CHANGED)
  return { joined, left, count: before.size + joined.length - left.length }
}

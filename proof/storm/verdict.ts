import { isDeepStrictEqual } from 'node:util'

/** What a client was told, and whether the books agree. Shares nothing with what it judges. */

export type Outcome =
  | { outcome: 'acknowledged'; id: string }
  /** Refused: nothing was done. Failed: no answer came, so it may have been done once, or not at all. */
  | { outcome: 'refused' | 'failed'; code: string }

export type Asked = { userId: string; carId: string; from: string } & Outcome

export type Posted = { lobbyId: string; text: string } & Outcome

/** An entry as clients get it; a gap has no `seq`. */
export interface Told {
  name: string
  seq?: number
}

export interface Followed {
  /** `user:<id>` or `lobby:<id>`. */
  feed: string
  by: string
  got: readonly object[]
}

export interface Books {
  bookings: { id: string; userId: string; carId: string; from: string; state: string; cost: number }[]
  balances: ReadonlyMap<string, number>
  /** As clients get them, in order. */
  feeds: ReadonlyMap<string, readonly object[]>
}

interface Claims {
  asked: readonly Asked[]
  posted: readonly Posted[]
  followed: readonly Followed[]
  /** What each user had at first. */
  money: number
}

export const judge = (claims: Claims, books: Books): string[] => [
  ...judgeBookings(claims.asked, books),
  ...judgeBalances(claims.money, books),
  ...judgePosts(claims.posted, books),
  ...claims.followed.flatMap((each) => judgeFollowed(each, books)),
]

const whatOf = ({ userId, carId, from }: { userId: string; carId: string; from: string }): string =>
  `user ${userId} car ${carId} at ${from}`

function judgeBookings(asked: readonly Asked[], { bookings }: Books): string[] {
  const wrong: string[] = []
  const found = new Map(bookings.map((each) => [each.id, each]))
  const acknowledged = new Set<string>()
  const mayBe = new Map<string, number>()
  for (const each of asked) {
    if (each.outcome === 'failed') mayBe.set(whatOf(each), (mayBe.get(whatOf(each)) ?? 0) + 1)
    if (each.outcome !== 'acknowledged') continue
    if (acknowledged.has(each.id)) wrong.push(`booking ${each.id} was acknowledged for two requests`)
    acknowledged.add(each.id)
    const booking = found.get(each.id)
    if (!booking) wrong.push(`booking ${each.id} was acknowledged and is lost`)
    else if (booking.state !== 'COMMITTED') wrong.push(`booking ${each.id} was acknowledged and is ${booking.state}`)
    else if (whatOf(booking) !== whatOf(each)) wrong.push(`booking ${each.id} is of ${whatOf(booking)}`)
  }
  for (const booking of bookings) {
    if (booking.state === 'CANCELLED' || acknowledged.has(booking.id)) continue
    const left = mayBe.get(whatOf(booking)) ?? 0
    if (left === 0) wrong.push(`booking ${booking.id} is ${booking.state}, and nobody was told so: ${whatOf(booking)}`)
    mayBe.set(whatOf(booking), left - 1)
  }
  return wrong
}

function judgeBalances(money: number, { bookings, balances }: Books): string[] {
  const left = new Map([...balances.keys()].map((userId) => [userId, money]))
  for (const { userId, state, cost } of bookings) {
    if (state === 'COMMITTED') left.set(userId, (left.get(userId) ?? money) - cost)
  }
  return [...left].flatMap(([userId, due]) =>
    balances.get(userId) === due ? [] : [`user ${userId} has ${balances.get(userId)}, not ${due}`],
  )
}

function judgePosts(posted: readonly Posted[], { feeds }: Books): string[] {
  const said = new Map<string, number>()
  for (const entries of feeds.values()) {
    for (const entry of entries) {
      if ('text' in entry) said.set(String(entry.text), (said.get(String(entry.text)) ?? 0) + 1)
    }
  }
  return posted.flatMap(({ text, outcome }) => {
    const times = said.get(text) ?? 0
    const right = outcome === 'acknowledged' ? times === 1 : times <= (outcome === 'failed' ? 1 : 0)
    return right ? [] : [`post "${text}", ${outcome}, was told ${times} times`]
  })
}

function judgeFollowed({ feed, by, got }: Followed, { feeds }: Books): string[] {
  const told = feeds.get(feed) ?? []
  const at = told.findIndex((entry, i) => !isDeepStrictEqual(entry, got[i]))
  if (at < 0) return []
  return [`${by} followed ${feed}: entry ${at + 1} of ${told.length} is ${JSON.stringify(got[at]) ?? 'missing'}`]
}

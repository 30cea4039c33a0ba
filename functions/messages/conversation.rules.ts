/**
 * The conversation of two users, as each entry of its stream carries it: what a command must know, and of fixed size.
 * Pairs stand in the order of the users' ids.
 */
export interface Conversation {
  /** How many messages each of the two has sent. */
  sent: Pair<number>
  /** The ordinal up to which each has read. */
  readUpTo: Pair<number>
  /** Whether each has blocked the other. */
  blocked: Pair<boolean>
}

export type Pair<T> = readonly [T, T]

export const NEW: Conversation = { sent: [0, 0], readUpTo: [0, 0], blocked: [false, false] }

export const streamOf = (one: string, other: string): string => [one, other].sort().join(':')

export const usersOf = (stream: string): Pair<string> => stream.split(':') as [string, string]

/** Which of the two a user is. */
export type PairSide = 0 | 1
export const sideOf = (stream: string, userId: string): PairSide => (usersOf(stream)[0] === userId ? 0 : 1)
export const otherSide = (side: PairSide): PairSide => (side === 0 ? 1 : 0)

export const withSide = <T>([first, second]: Pair<T>, side: PairSide, value: T): Pair<T> =>
  side === 0 ? [value, second] : [first, value]

export const messagesIn = ({ sent: [first, second] }: Conversation): number => first + second

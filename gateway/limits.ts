import { createBucket, type Bucket } from '../platform/http/bucket.js'
import { network } from '../platform/http/network.js'
import { createTurns, type Turns } from './turns.js'

/** What one socket may do. */
export interface SocketLimits {
  /** Whose socket it is, once that is known: its user has limits over all sockets. */
  signedIn(userId: string): void
  /**
   * 0: go ahead; otherwise milliseconds to wait. `guessable`: the request carries a password. `weight`: how many
   * requests it counts as, one unless told.
   */
  take(guessable: boolean, weight?: number): number
  /** What something has cost, in requests, that could not be known before: of which operation, if of one. */
  charge(weight: number, operation?: string): void
  /** What its last answer to an operation has cost its account; undefined where it has had none. */
  lastCost(operation: string): number | undefined
  /**
   * Its user's calls of an operation until the first is answered: one at a time, since nobody knows what it costs. null:
   * that is known, or there is no user.
   */
  firsts(operation: string): Turns | null
  /** Its user's calls under way, or its address's where it is anonymous; null: no limits. */
  turns(): Turns | null
  /** Its account's pages of what sockets missed: one at a time. null: no limits. */
  pages(): Turns | null
  /** One more request was refused. Answers whether the socket has earned to be cut off. */
  refused(): boolean
  /** The socket is gone. */
  release(): void
}

/** What was spent, by whom: `user:<id>`, `address:<network>`, `password:<network>`. */
export type Spent = Map<string, number>

export interface Limits {
  /** Answers null where the address has too many connections, or makes them too fast. */
  admit(address: string): SocketLimits | null
  /** Whether anybody is here, or has been so lately that others have not been told what was spent. */
  used(): boolean
  /** What accounts that are being drained have spent since the last time that this was asked. */
  takeSpent(): Spent
  /** What the same accounts spent elsewhere. */
  addSpent(spent: Iterable<readonly [string, number]>): void
  /** So many workers share the calls that an account may have under way: each lets its part through. */
  shareTurns(workers: number): void
}

/** Accounts that are remembered after their last socket closed, so that reconnecting does not refill a bucket. */
const MAX_IDLE = 10_000
/** Fuller ones need not be told to others: whoever spends little is limited nowhere. */
const TELL_BELOW = 0.75
const MAX_TOLD = 1000
/** However many workers share them: a client's connection is at one of them. */
const FEWEST_TURNS = 5

const UNLIMITED: SocketLimits = {
  signedIn: () => {},
  take: () => 0,
  charge: () => {},
  lastCost: () => 0,
  firsts: () => null,
  turns: () => null,
  pages: () => null,
  refused: () => false,
  release: () => {},
}

/** An answer of so many bytes costs as much as the request for it; one that is shorter costs nothing more. */
const BYTES_OF_A_REQUEST = 16_384

/** What it costs, in requests, to send so much. */
export const costOf = (bytes: number): number => Math.floor(bytes / BYTES_OF_A_REQUEST)

interface Account {
  sockets: number
  requests: Bucket
  passwords: Bucket
  turns: Turns
  pages: Turns
  /** By operation: its last answer's. */
  costs: Map<string, number>
  /** By operation, until its first answer. */
  firsts: Map<string, Turns>
  /** Not told to others yet. */
  spent: { requests: number; passwords: number }
}

/**
 * All limits follow from the one setting, requests per socket and second (0: no limits at all). An address has ten
 * times that, for all its sockets together, since a backend speaks for many users, and a user three times; passwords
 * are tried at a tenth of it by an address, since each try costs tens of milliseconds of CPU and may be a guess. A
 * user's calls under way weigh a fifth of it together, an address's anonymous ones all of it; of several workers each
 * lets its part of them through.
 */
export function createLimits(ratePerSecond: number, nowMs: () => number = () => performance.now()): Limits {
  if (ratePerSecond === 0)
    return {
      admit: () => UNLIMITED,
      used: () => false,
      takeSpent: () => new Map(),
      addSpent: () => {},
      shareTurns: () => {},
    }
  const maxConnections = 10 * ratePerSecond
  const accounts = new Map<string, Account>()
  const idle = new Set<string>()
  let workers = 1
  let untold = false

  function accountOf(key: string): Account {
    let account = accounts.get(key)
    if (!account) {
      const anonymous = key.startsWith('address:')
      const share = (anonymous ? 10 : 3) * ratePerSecond
      account = {
        sockets: 0,
        requests: createBucket(share, 2 * share),
        passwords: createBucket(Math.max(1, ratePerSecond / 10), Math.max(10, ratePerSecond)),
        turns: createTurns(() => turnsOf(anonymous)),
        pages: createTurns(() => 1),
        costs: new Map(),
        firsts: new Map(),
        spent: { requests: 0, passwords: 0 },
      }
      accounts.set(key, account)
    }
    return account
  }

  function turnsOf(anonymous: boolean): number {
    const ofAll = Math.max(10, Math.ceil(anonymous ? ratePerSecond : ratePerSecond / 5))
    return Math.max(FEWEST_TURNS, Math.ceil(ofAll / workers))
  }

  function enter(key: string): Account {
    const account = accountOf(key)
    account.sockets++
    idle.delete(key)
    untold = true
    return account
  }

  function leave(key: string): void {
    const account = accounts.get(key)
    if (account && --account.sockets <= 0) rest(key)
  }

  function rest(key: string): void {
    idle.add(key)
    const [oldest] = idle
    if (oldest === undefined || idle.size <= MAX_IDLE) return
    idle.delete(oldest)
    accounts.delete(oldest)
  }

  function spend(account: Account, weight: number): number {
    const waitMs = account.requests.take(nowMs(), weight)
    if (waitMs === 0) account.spent.requests += weight
    return waitMs
  }

  function spendPassword(account: Account): number {
    const waitMs = account.passwords.take(nowMs())
    if (waitMs === 0) account.spent.passwords++
    return waitMs
  }

  function socketLimits(addressKey: string, address: Account): SocketLimits {
    const own = createBucket(ratePerSecond, 2 * ratePerSecond)
    const patience = createBucket(ratePerSecond, 20 * ratePerSecond)
    const held = [addressKey]
    let user: Account | undefined
    return {
      signedIn(userId) {
        held.push(`user:${userId}`)
        user = enter(`user:${userId}`)
      },
      take(guessable, weight = 1) {
        return (
          own.take(nowMs(), weight) ||
          (user ? spend(user, weight) : 0) ||
          spend(address, weight) ||
          (guessable ? spendPassword(address) : 0)
        )
      },
      charge(weight, operation) {
        own.charge(nowMs(), weight)
        if (operation !== undefined) {
          ;(user ?? address).costs.set(operation, weight)
          ;(user ?? address).firsts.delete(operation)
        }
        for (const account of [address, user]) {
          account?.requests.charge(nowMs(), weight)
          if (account) account.spent.requests += weight
        }
      },
      lastCost: (operation) => (user ?? address).costs.get(operation),
      firsts(operation) {
        if (!user || user.costs.has(operation)) return null
        const turns = user.firsts.get(operation) ?? createTurns(() => 1)
        user.firsts.set(operation, turns)
        return turns
      },
      turns: () => (user ?? address).turns,
      pages: () => (user ?? address).pages,
      refused: () => patience.take(nowMs()) > 0,
      release: () => held.splice(0).forEach(leave),
    }
  }

  return {
    admit(address) {
      const key = `address:${network(address)}`
      const account = enter(key)
      if (account.sockets <= maxConnections && spend(account, 1) === 0) return socketLimits(key, account)
      leave(key)
      return null
    },
    used: () => accounts.size > idle.size || untold,
    takeSpent() {
      const spent: Spent = new Map()
      untold = false
      for (const [key, account] of accounts) {
        if (spent.size >= MAX_TOLD) break
        const { requests, passwords } = account.spent
        if (requests > 0 && account.requests.fill(nowMs()) < TELL_BELOW) spent.set(key, requests)
        if (passwords > 0) spent.set(key.replace('address:', 'password:'), passwords)
        account.spent = { requests: 0, passwords: 0 }
      }
      return spent
    },
    addSpent(spent) {
      for (const [key, weight] of spent) {
        const account = accountOf(key.replace('password:', 'address:'))
        if (account.sockets === 0) rest(key.replace('password:', 'address:'))
        if (key.startsWith('password:')) account.passwords.charge(nowMs(), weight)
        else account.requests.charge(nowMs(), weight)
      }
    },
    shareTurns: (among) => void (workers = among),
  }
}

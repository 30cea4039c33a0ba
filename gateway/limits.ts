import { createBucket, type Bucket } from '../platform/http/bucket.js'
import { network } from '../platform/http/network.js'

/** What one socket may do. */
export interface SocketLimits {
  /**
   * 0: go ahead; otherwise milliseconds to wait. `guessable`: the request carries a password. `weight`: how many
   * requests it counts as, one unless told.
   */
  take(guessable: boolean, weight?: number): number
  /** One more request was refused. Answers whether the socket has earned to be cut off. */
  refused(): boolean
  /** The socket is gone. */
  release(): void
}

export interface Limits {
  /** Answers null where the address has too many connections, or makes them too fast. */
  admit(address: string): SocketLimits | null
}

/** Addresses that are remembered after their last socket closed, so that reconnecting does not refill a bucket. */
const MAX_IDLE_ADDRESSES = 10_000

const UNLIMITED: SocketLimits = { take: () => 0, refused: () => false, release: () => {} }

interface AddressState {
  connections: number
  requests: Bucket
  passwords: Bucket
}

/**
 * All limits follow from the one setting, requests per socket and second (0: no limits at all). An address has ten
 * times that, for all its sockets together, since a backend speaks for many users; passwords are tried at a tenth of
 * it, since each try costs tens of milliseconds of CPU and may be a guess. Each gateway worker counts for itself.
 */
export function createLimits(ratePerSecond: number, nowMs: () => number = () => performance.now()): Limits {
  if (ratePerSecond === 0) return { admit: () => UNLIMITED }
  const maxConnections = 10 * ratePerSecond
  const addresses = new Map<string, AddressState>()
  const idle = new Set<string>()

  function stateOf(key: string): AddressState {
    let state = addresses.get(key)
    if (!state) {
      state = {
        connections: 0,
        requests: createBucket(10 * ratePerSecond, 20 * ratePerSecond),
        passwords: createBucket(Math.max(1, ratePerSecond / 10), Math.max(10, ratePerSecond)),
      }
      addresses.set(key, state)
    }
    return state
  }

  function forgetOldest(): void {
    const [oldest] = idle
    if (oldest === undefined || idle.size <= MAX_IDLE_ADDRESSES) return
    idle.delete(oldest)
    addresses.delete(oldest)
  }

  return {
    admit(address) {
      const key = network(address)
      const state = stateOf(key)
      if (state.connections >= maxConnections || state.requests.take(nowMs()) > 0) {
        if (state.connections === 0) idle.add(key)
        forgetOldest()
        return null
      }
      state.connections++
      idle.delete(key)
      const own = createBucket(ratePerSecond, 2 * ratePerSecond)
      const patience = createBucket(ratePerSecond, 20 * ratePerSecond)
      return {
        take(guessable, weight = 1) {
          const now = nowMs()
          return (
            own.take(now, weight) || state.requests.take(now, weight) || (guessable ? state.passwords.take(now) : 0)
          )
        },
        refused: () => patience.take(nowMs()) > 0,
        release() {
          if (--state.connections > 0) return
          idle.add(key)
          forgetOldest()
        },
      }
    },
  }
}

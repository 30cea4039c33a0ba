import { Refusal } from '../platform/contract/errors.js'
import type { Logger } from '../platform/lib/log.js'
import type { TokenClaims } from '../platform/runtime/tokens.js'
import type { LookUpRole } from './roles.js'

/** With the lookup itself, a token that stopped working is noticed within two seconds. */
const EVERY_MS = 1000

/** A socket that listens by its token. */
export interface Listener {
  claims: TokenClaims
  /** The token works: it may listen from now on. Once. */
  authorised(): void
  /** The token has expired, or works no more. Once, and last. */
  ended(reason: Refusal): void
}

export interface Authority {
  /** Looks the token up at once, and then again and again, until the answer is called. */
  watch(listener: Listener): () => void
  stop(): void
}

/**
 * Whatever a socket receives is authorised as its requests are: not by the token that it once came with, but by what the
 * users domain says of it now. Nothing is sent before it has said so first; where nobody can say, what was, holds on.
 */
export function createAuthority(options: {
  lookUpRole: LookUpRole
  log: Logger
  now: () => Date
  everyMs?: number
}): Authority {
  const { lookUpRole, log, now, everyMs = EVERY_MS } = options
  const listeners = new Map<Listener, { begun: boolean; asking: boolean }>()

  async function check(listener: Listener): Promise<void> {
    const state = listeners.get(listener)
    if (!state || state.asking) return
    if (listener.claims.expiresAt <= now()) return end(listener, 'The token has expired.')
    state.asking = true
    try {
      const role = await lookUpRole(listener.claims)
      if (!listeners.has(listener)) return
      if (!role) return end(listener, 'The token no longer works: sign in again.')
      if (!state.begun) listener.authorised()
      state.begun = true
    } catch (error) {
      log.debug({ err: error, userId: listener.claims.userId }, 'nobody can say whether a token still works')
    } finally {
      state.asking = false
    }
  }

  function end(listener: Listener, why: string): void {
    if (listeners.delete(listener)) listener.ended(new Refusal('unauthenticated', why))
  }

  // A lookup a user would do; but those of one round share a call in any case.
  const timer = setInterval(() => [...listeners.keys()].forEach((each) => void check(each)), everyMs)
  return {
    watch(listener) {
      listeners.set(listener, { begun: false, asking: false })
      void check(listener)
      return () => void listeners.delete(listener)
    },
    stop: () => clearInterval(timer),
  }
}

import type { users } from '../functions/users/contract.js'
import type { Caller } from '../platform/contract/caller.js'
import type { Operation, Output } from '../platform/contract/contract.js'
import { Refusal } from '../platform/contract/errors.js'
import type { Logger } from '../platform/lib/log.js'
import type { TokenClaims } from '../platform/runtime/tokens.js'
import type { LookUpRole } from './roles.js'

/** With the call itself, a token that stopped working is noticed within two seconds. */
const EVERY_MS = 1000
/** How often everybody is looked up, whatever was told: the sweep is the truth. */
const SWEEP_MS = 30_000
/** What is known of a user is not used for longer than this after it was so: where no answer comes, requests look again. */
const MAX_AGE_MS = 1500

type AccessChanges = Output<typeof users.listAccessChanges>

/** A socket that listens by its token. */
export interface Listener {
  claims: TokenClaims
  /** The token works: it may listen from now on. Once. */
  authorised(): void
  /** The token has expired, or works no more. Once, and last. */
  ended(reason: Refusal): void
}

export interface Authority {
  /**
   * The role by which a token's holder may call what is of this access. Who was a plain user a moment ago is one; an
   * admin, and whoever calls what is for admins, is looked up each time. null: the token works no more. Throws where
   * nobody can say.
   */
  roleFor: (access: Operation['access'], claims: TokenClaims) => Promise<Caller['role'] | null>
  /** Looks the token up at once, and ends the listener within two seconds when it stops working, until the answer is called. */
  watch(listener: Listener): () => void
  stop(): void
}

interface Listening {
  begun: boolean
  asking: boolean
  /** It has to be looked up. */
  due: boolean
}

/** A plain user whose token worked. */
interface Known {
  tokenVersion: number
  asOfMs: number
  /** Not before the lookup has said so. */
  works: boolean
}

/**
 * Whatever a socket sends and receives is authorised not by the token that it once came with, but by what the users
 * domain says of it. Nothing is sent before it has said so first; where nobody can say, what was, holds on for what
 * is sent, and for nothing that is asked. The domain is asked once a second, for all, whose access has changed.
 */
export function createAuthority(options: {
  lookUpRole: LookUpRole
  listChanges: (afterMs: number) => Promise<AccessChanges>
  log: Logger
  now: () => Date
  everyMs?: number
  sweepMs?: number
}): Authority {
  const { lookUpRole, listChanges, log, now, everyMs = EVERY_MS, sweepMs = SWEEP_MS } = options
  const listeners = new Map<Listener, Listening>()
  /** By user, and session or API key. */
  const known = new Map<string, Known>()
  let afterMs = 0
  /** Whoever was not told to have changed is, at this time, what is known. */
  let toldAsOfMs = -Infinity
  let sweptAtMs = performance.now()
  let asking = false

  function isKnown(claims: TokenClaims): boolean {
    const found = known.get(keyOf(claims))
    if (!found?.works || found.tokenVersion !== claims.tokenVersion) return false
    return performance.now() - Math.max(found.asOfMs, toldAsOfMs) < MAX_AGE_MS
  }

  async function lookUp(claims: TokenClaims): Promise<Caller['role'] | null> {
    const key = keyOf(claims)
    // Here before the answer is: who is told to have changed meanwhile is taken out, and the answer counts only once.
    const entry: Known = { tokenVersion: claims.tokenVersion, asOfMs: performance.now(), works: false }
    known.set(key, entry)
    const role = await lookUpRole(claims).catch((error: unknown) => {
      if (known.get(key) === entry) known.delete(key)
      throw error
    })
    if (role === 'user') entry.works = true
    else if (known.get(key) === entry) known.delete(key)
    return role
  }

  async function check(listener: Listener, state: Listening): Promise<void> {
    if (state.asking) return
    state.asking = true
    try {
      const role = await lookUp(listener.claims)
      if (!listeners.has(listener)) return
      if (!role) return end(listener)
      if (!state.begun) listener.authorised()
      state.begun = true
      state.due = false
    } catch (error) {
      log.debug({ err: error, userId: listener.claims.userId }, 'nobody can say whether a token still works')
    } finally {
      state.asking = false
    }
  }

  function end(listener: Listener, why = 'The token no longer works: sign in again.'): void {
    if (listeners.delete(listener)) listener.ended(new Refusal('unauthenticated', why))
  }

  async function look(): Promise<void> {
    const sentAtMs = performance.now()
    const { changed, ...next } = await listChanges(afterMs)
    afterMs = next.afterMs
    toldAsOfMs = sentAtMs
    if (!changed || sentAtMs - sweptAtMs > sweepMs) {
      sweptAtMs = sentAtMs
      known.clear()
      for (const state of listeners.values()) state.due = true
    }
    const versions = new Map(changed?.map(({ userId, tokenVersion }) => [userId, tokenVersion]))
    if (versions.size === 0) return
    for (const key of known.keys()) if (versions.has(userOf(key))) known.delete(key)
    for (const [listener, state] of listeners) {
      const { userId, tokenVersion } = listener.claims
      const version = versions.get(userId)
      if (version === undefined) continue
      // Versions only grow: a token of a newer one was signed since. Of those with this one, a session may have ended.
      if (version > tokenVersion) {
        end(listener)
      } else {
        state.due = true
        void check(listener, state)
      }
    }
  }

  function round(): void {
    const present = now()
    for (const [listener, state] of listeners) {
      if (listener.claims.expiresAt <= present) end(listener, 'The token has expired.')
      else if (state.due) void check(listener, state)
    }
    if (asking || listeners.size + known.size === 0) return
    asking = true
    look()
      .catch((error: unknown) => log.debug({ err: error }, 'nobody can say whose access has changed'))
      .finally(() => (asking = false))
  }

  const timer = setInterval(round, everyMs)
  return {
    roleFor: (access, claims) => (access === 'user' && isKnown(claims) ? Promise.resolve('user') : lookUp(claims)),
    watch(listener) {
      const state = { begun: false, asking: false, due: true }
      listeners.set(listener, state)
      if (listener.claims.expiresAt <= now()) end(listener, 'The token has expired.')
      else void check(listener, state)
      return () => void listeners.delete(listener)
    },
    stop: () => clearInterval(timer),
  }
}

const ID_CHARS = 24
const keyOf = ({ userId, sessionId = '', apiKey }: TokenClaims): string => `${userId}${apiKey?.id ?? sessionId}`
const userOf = (key: string): string => key.slice(0, ID_CHARS)

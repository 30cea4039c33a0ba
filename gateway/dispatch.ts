import type { Config } from '../config/index.js'
import { coveredBy } from '../platform/contract/apiKeys.js'
import type { Operation } from '../platform/contract/contract.js'
import { Refusal, toPublicError, type ErrorCode, type Result } from '../platform/contract/errors.js'
import type { Caller } from '../platform/contract/caller.js'
import {
  authorise,
  fullName,
  idsIn,
  invalidInput,
  nameOfCaller,
  sendingOf,
  withNewId,
} from '../platform/runtime/invocation.js'
import type { Logger } from '../platform/lib/log.js'
import { callerOf, type TokenClaims } from '../platform/runtime/tokens.js'
import type { Transport } from '../platform/runtime/transport.js'
import { MAX_REQUEST_CHARS, TOO_LARGE } from './decoder.js'
import type { SocketLimits } from './limits.js'
import type { Outgoing } from './outgoing.js'
import type { Authority } from './authority.js'
import type { SocketFeeds } from './socketFeeds.js'

/** One request as it came in: nothing about it has been checked. */
export interface Incoming {
  operation: unknown
  args: readonly unknown[]
  requestId: string
}

/** Who sent it. */
export interface Sender {
  /** null: anonymous. */
  claims: TokenClaims | null
  limits: SocketLimits
  /** Whom its address stands for. */
  address: string
  feeds: SocketFeeds
  outgoing: Outgoing
  /** Aborted when the socket is gone: what has not begun by then need not. */
  gone: AbortSignal
}

/** A request that reached its function: the answer, and the ids that it named. */
interface Called {
  result: Result<unknown>
  ids: Record<string, string>
}

/** Answers a request. Never rejects. */
export type Dispatch = (incoming: Incoming, sender: Sender) => Promise<Result<unknown>>

/** Before an account's first answer to an operation nobody knows how long it is: half as many of them are let in at once. */
const FIRST_COST = 2

/** Worth a line in the log at its default level: the client did nothing wrong. */
const OURS: ReadonlySet<ErrorCode> = new Set(['internal', 'unavailable', 'deadline_exceeded'])

/**
 * Checks a request against everything that can be known without the domain's data, in this order (the first that fails
 * is the answer): unknown_operation, rate_limited, unauthenticated, forbidden, invalid_input, and whether the socket is where it must be. What passes goes to the
 * function, whose result is the answer as it stands.
 */
export function createDispatch(options: {
  config: Pick<Config, 'deadlinesMs'>
  log: Logger
  contracts: ReadonlyMap<string, Operation>
  request: Transport['request']
  roleFor: Authority['roleFor']
  now: () => Date
  newId: () => string
}): Dispatch {
  const { config, log, contracts, request, roleFor, now, newId } = options

  function find(name: unknown): Operation {
    const operation = typeof name === 'string' ? contracts.get(name) : undefined
    if (operation && operation.access !== 'internal') return operation
    throw new Refusal('unknown_operation', 'There is no such operation.')
  }

  async function identify(operation: Operation, claims: TokenClaims | null): Promise<Caller | null> {
    if (operation.access === 'anyone') return null
    if (!claims) throw new Refusal('unauthenticated', `${operation.name} needs a token.`)
    if (claims.expiresAt <= now()) throw new Refusal('unauthenticated', 'The token has expired.')
    const role = await roleFor(operation.access, claims)
    if (!role) throw new Refusal('unauthenticated', 'The token no longer works: sign in again.')
    if (claims.apiKey && !coveredBy(claims.apiKey.scopes, operation)) {
      throw new Refusal('forbidden', `The scopes of this API key do not cover ${operation.name}.`)
    }
    return callerOf(claims, role)
  }

  async function run({ operation: name, args, requestId }: Incoming, sender: Sender): Promise<Called> {
    const arrivedAtMs = performance.now()
    const known = typeof name === 'string' ? contracts.get(name) : undefined
    const retryAfterMs = sender.limits.take(carriesPassword(known, args[0]), known?.weight)
    const operation = find(name)
    if (retryAfterMs > 0) throw new Refusal('rate_limited', 'Too many requests.', { retryAfterMs })
    const caller = await identify(operation, sender.claims)
    authorise(operation, caller)
    const input = operation.input.safeParse(soleArgument(args))
    if (!input.success) throw invalidInput(input.error)
    if (operation.within && !sender.feeds.follows(operation.within.feed(input.data))) {
      throw new Refusal(operation.within.refusal, 'This socket is not there: join first.')
    }
    const end = await takeTurn(operation, sender)
    try {
      const ttlMs = Math.floor(config.deadlinesMs[operation.deadline] - (performance.now() - arrivedAtMs))
      // It has not begun, so that its outcome is known: nothing.
      if (ttlMs <= 0) throw tooManyUnderWay()
      // An id that the client left open is chosen here, so that sending this call again is the same call.
      const sent = withNewId(operation, input.data, newId)
      const result = await request(
        { operation: fullName(operation), input: sent, caller, ...fromWhere(operation, sender), requestId, ttlMs },
        sendingOf(operation, sent),
      )
      // What the feed has to say begins after the answer: it is read first.
      moveSocket(operation, input.data, result, sender.feeds)
      return { result, ids: idsIn(operation, sent) }
    } finally {
      end?.()
    }
  }

  return async (incoming, sender) => {
    const { operation, requestId } = incoming
    const startedAtMs = performance.now()
    let called: Partial<Called> & Pick<Called, 'result'>
    try {
      called = await run(incoming, sender)
    } catch (error) {
      if (!(error instanceof Refusal)) log.error({ err: error, operation, requestId }, 'gateway failed')
      called = { result: { ok: false, error: toPublicError(error, requestId) } }
    }
    const { result, ids } = called
    const code = result.ok ? 'ok' : result.error.code
    // What was refused here reached no function: a flood of it must not become a flood of lines.
    const level = !result.ok && OURS.has(result.error.code) ? 'warn' : ids ? 'info' : 'debug'
    if (log.isLevelEnabled(level)) {
      const caller = nameOfCaller(sender.claims)
      const ms = Math.round((performance.now() - startedAtMs) * 10) / 10
      log[level]({ requestId, operation, caller, ids, ms, code }, 'request')
    }
    return result
  }
}

/**
 * Waits until the sender may have one more call under way; answers what ends it. The turn goes on until the answer, sent
 * by then, has been read: whoever asks for much and reads little waits for itself.
 */
async function takeTurn(
  { name, weight = 1 }: Operation,
  { limits, gone, outgoing }: Sender,
): Promise<(() => void) | undefined> {
  const turns = limits.turns()
  if (!turns) return undefined
  const firsts = limits.firsts(name)
  const endFirst = firsts ? await firsts.enter(1, gone) : () => {}
  const lastCost = limits.lastCost(name)
  if (lastCost !== undefined) endFirst?.()
  // Whoever got a long answer is about to get another: one of the longest is under way at a time.
  const end = endFirst && (await turns.enter(Math.max(weight, lastCost ?? FIRST_COST), gone))
  if (!end) {
    endFirst?.()
    throw tooManyUnderWay()
  }
  return () =>
    setImmediate(() => {
      endFirst()
      void outgoing.drained().then(end)
    })
}

const tooManyUnderWay = (): Refusal =>
  new Refusal('rate_limited', 'Too many requests are under way.', { retryAfterMs: 1000 })

/** A request has one argument, or none for "all defaults". */
function soleArgument(args: readonly unknown[]): unknown {
  if (args.length > 1) throw invalidInput({ issues: [{ path: [], message: 'A request takes one input object.' }] })
  if (args[0] === TOO_LARGE) {
    throw invalidInput({ issues: [{ path: [], message: `The input is over ${MAX_REQUEST_CHARS} characters.` }] })
  }
  return args.length === 0 ? {} : args[0]
}

function moveSocket(
  { follows, unfollows }: Operation,
  input: unknown,
  result: Result<unknown>,
  feeds: SocketFeeds,
): void {
  if (result.ok) {
    if (follows) feeds.follow(follows.feed(input), follows.from(input, result.data))
    if (unfollows) feeds.unfollow(unfollows(input))
  } else if (follows && !result.error.retryable) {
    feeds.doNotExpect(follows.feed(input))
  }
}

/** Told only to what counts by it: what nobody is signed in for, and guesses of passwords. */
const fromWhere = ({ access, passwords }: Operation, { address }: Sender): { address?: string } =>
  access === 'anyone' || passwords ? { address } : {}

const carriesPassword = (operation: Operation | undefined, input: unknown): boolean =>
  typeof input === 'object' && input !== null && (operation?.passwords ?? []).some((key) => Object.hasOwn(input, key))

import type { CallOptions } from '../calls.js'
import type { Core, Holdfast } from '../connect.js'
import type { Status } from '../connection.js'
import { CallError, lost } from '../errors.js'
import type { CalendarEntry, ConversationEntry, FollowOptions, LobbyEntry, UserEntry } from '../following.js'
import type { Entry, Following, Reader } from '../reader.js'
import { updateEntity } from '../updates.js'
import * as bookings from './bookings.js'
import { CONTRACTS, type Contract } from './contracts.js'
import { readInput, type Issue } from './input.js'
import type { FollowFeed } from './feeds.js'
import * as lobbies from './lobbies.js'
import * as messages from './messages.js'
import * as things from './things.js'
import * as users from './users.js'
import { callError, Refused, type Caller, type Session, type World } from './world.js'

type AnyHandler = (world: World, input: object, caller: Caller) => unknown

const HANDLERS = { ...users, ...things, ...bookings, ...lobbies, ...messages } as unknown as Record<string, AnyHandler>
const KNOWN: Record<string, Contract> = CONTRACTS

/** Names that the language asks of any object, which has nothing of the kind. */
const NO_OPERATIONS: ReadonlySet<string | symbol> = new Set(['then', 'toJSON'])
/** A client of the fake: what `connect` answers, without a connection. */
export function createClient(world: World, session: Session): Holdfast {
  const listeners = new Set<(status: Status) => void>()
  let status: Status = { state: 'online' }
  let pendingCalls = 0
  const readers = new Set<Following>()

  async function call(operation: string, input: object = {}, { signal }: CallOptions = {}): Promise<unknown> {
    pendingCalls++
    try {
      signal?.throwIfAborted()
      const sent: unknown = JSON.parse(JSON.stringify(input))
      // An answer never comes in the turn of its call.
      await Promise.resolve()
      if (status.state === 'closed') throw closed()
      return structuredClone(answer(world, session, operation, sent))
    } catch (error) {
      throw error instanceof Refused ? callError(error, operation) : error
    } finally {
      pendingCalls--
    }
  }

  function follow(feed: string, options: Omit<FollowFeed, 'userId'>): Following {
    const refusal = status.state === 'closed' ? callError(closed()) : options.refusal
    const ended = (): void => {
      readers.delete(reader)
      options.ended?.()
    }
    const reader = world.feeds.follow(feed, { ...options, userId: session.userId, refusal, ended })
    readers.add(reader)
    return reader
  }

  function news({ lastSeq }: FollowOptions = {}, takes?: (entry: Entry) => boolean): Following {
    // Whoever reads a message has it.
    const taken = ({ name, messageId }: Entry): void => {
      if (name === 'message:new') void call('acknowledgeMessage', { messageId }).catch(() => {})
    }
    const refusal =
      session.userId === undefined ? new CallError(lost('unauthenticated', NOT_SIGNED_IN, false)) : undefined
    return follow(`user:${session.userId ?? ''}`, { lastSeq, takes, taken, refusal })
  }

  function lobby(lobbyId: string, { lastSeq }: FollowOptions = {}): Following {
    const count = (change: number): number => {
      const loops = (following.get(lobbyId) ?? 0) + change
      following.set(lobbyId, loops)
      return loops
    }
    count(1)
    const ended = (): void => {
      if (count(-1) === 0) lobbies.leave(world, lobbyId, session)
    }
    return follow(`lobby:${lobbyId}`, { lastSeq, ended, refusal: refusalOfJoin({ lobbyId, lastSeq }) })
  }

  function refusalOfJoin(input: object): CallError | undefined {
    try {
      answer(world, session, 'joinLobby', JSON.parse(JSON.stringify(input)))
      return undefined
    } catch (error) {
      if (error instanceof Refused) return callError(error, 'joinLobby')
      throw error
    }
  }
  /** How many loops are over each lobby. */
  const following = new Map<string, number>()

  const core: Core = {
    call: call,
    update: ((entity: object, change: (newest: never) => object | undefined, options?: CallOptions) =>
      updateEntity((operation, input) => call(operation, input, options), entity, change)) as Core['update'],
    lobby: (lobbyId, options) => lobby(lobbyId, options) as Following<LobbyEntry>,
    news: (options) => news(options) as Following<UserEntry>,
    calendar: (options) =>
      news(
        options,
        ({ name }) => name === 'calendar:updated' || name === 'invitation:updated',
      ) as Following<CalendarEntry>,
    conversation: (userId, options) => news(options, isWith(userId)) as Following<ConversationEntry>,
    onStatus(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    get status() {
      return status
    },
    get pendingCalls() {
      return pendingCalls
    },
    close() {
      if (status.state === 'closed') return
      status = { state: 'closed', reason: closed().message }
      for (const lobbyId of [...session.lobbies]) lobbies.leave(world, lobbyId, session)
      for (const reader of [...readers]) (reader as Reader).finish(callError(closed()))
      for (const listener of [...listeners]) listener(status)
    },
  }
  return new Proxy(core as unknown as Holdfast, {
    get: (target, name) =>
      typeof name === 'symbol' || name in target || NO_OPERATIONS.has(name)
        ? (Reflect.get(target, name) as unknown)
        : (input: object = {}, options?: CallOptions) => call(name, input, options),
  })
}

const closed = (): Refused => new Refused('unavailable', 'This client was closed.')
const NOT_SIGNED_IN = 'Only whoever is signed in has news: connect with a token.'

const isWith =
  (userId: string) =>
  ({ name, fromUserId, toUserId }: Entry): boolean =>
    (name === 'message:new' && fromUserId === userId) || (name === 'message:delivered' && toUserId === userId)

/** As the gateway checks a request, in its order, and then as the operation answers it. */
function answer(world: World, session: Session, operation: string, given: unknown): unknown {
  const contract = KNOWN[operation]
  const handler = HANDLERS[operation]
  if (!contract || !handler) throw new Refused('unknown_operation', `The fake has no operation ${operation}.`)
  const user = world.users.get(session.userId ?? '')
  const { access } = contract
  if (access !== 'anyone' && !user) throw new Refused('unauthenticated', `${operation} needs a token.`)
  if (access === 'admin' && user?.role !== 'admin') throw new Refused('forbidden', `${operation} is for admins.`)
  const { value, issues } = readInput(contract.input, given)
  const broken = issues.length > 0 ? issues : brokenRules(operation, value)
  if (broken.length > 0) throw new Refused('invalid_input', 'The input breaks the contract.', { issues: broken })
  if (operation === 'postToLobby' && !session.lobbies.has(value['lobbyId'] as string)) {
    throw new Refused('not_in_lobby', 'This socket is not there: join first.')
  }
  return handler(world, value, { userId: user?.id ?? '', role: user?.role ?? 'user', session })
}

const MAX_MESSAGE_BYTES = 10_240

/** The rules of contracts over several fields, by the fields' names. */
function brokenRules(operation: string, input: Record<string, unknown>): Issue[] {
  const text = (name: string): string | undefined => input[name] as string | undefined
  const issues: Issue[] = []
  const wrong = (path: string, message: string): void => void issues.push({ path, message })
  const [from, to] = [text('from'), text('to')]
  if (!from !== !to) wrong('to', 'from and to go together')
  if (from && to && from >= to) wrong('to', 'from must be before to')
  if (operation === 'createBooking' && 'carId' in input === 'roomId' in input) wrong('carId', 'either carId or roomId')
  const [leaves, arrives] = [text('departureTime'), text('arrivalTime')]
  if (leaves && arrives && leaves >= arrives) wrong('arrivalTime', 'must be after departureTime')
  if (text('email') && text('password')?.trim().toLowerCase() === text('email'))
    wrong('password', 'must not be the e-mail address')
  if (text('toUserId') && new TextEncoder().encode(text('text')).length > MAX_MESSAGE_BYTES)
    wrong('text', 'is too long')
  return issues
}

import type { Data, Input, OperationName } from '../connect.js'
import { CallError } from '../errors.js'
import type { ErrorCode, LedgerEntry, Lobby, Train, User } from '../operations.js'
import { createFeedStore, type FeedStore } from './feeds.js'

/** All that a fake server keeps. Its clock stands still until a test moves it. */
export interface World {
  nowMs: number
  users: Map<string, UserRecord>
  /** Holders of tokens. */
  tokens: Map<string, string>
  /** Deposits and withdrawals, by kind and id. */
  transfers: Map<string, { request: string; refusal?: ErrorCode }>
  cars: Map<string, CarRecord>
  rooms: Map<string, RoomRecord>
  bookings: Map<string, BookingRecord>
  trains: Map<string, Train & Made>
  lobbies: Map<string, LobbyRecord>
  /** By the ids of the two, in their order. */
  conversations: Map<string, Conversation>
  messages: Map<string, MessageRecord>
  /** The place of the next entry of the log of messages. */
  seq: number
  feeds: FeedStore
}

/** What a new entity remembers of the request that made it. */
interface Made {
  request: string
}
export interface UserRecord extends User, Made {
  password?: string
  netDeposits: number
  /** Oldest first. */
  ledger: LedgerEntry[]
}
interface Thing extends Made {
  id: string
  retired: boolean
  version: number
  createdAt: string
  updatedAt: string
  name: string
  bookings: { id: string; from: string; to: string }[]
}
export interface CarRecord extends Thing {
  pricePerHour: number
}
/** Its bookings have dates of its time zone. */
export interface RoomRecord extends Thing {
  pricePerNight: number
  units: number
  timeZone: string
}
export interface BookingRecord extends Made {
  id: string
  userId: string
  carId?: string
  roomId?: string
  from: string
  to: string
  cost: number
  state: 'COMMITTED' | 'CANCELLED'
  reason?: string
  reverses?: string
  reversedBy?: string
  createdAt: string
  lastModified: string
}
export interface LobbyRecord extends Lobby, Made {
  deleted: boolean
  removed: Set<string>
  members: Map<Session, string>
}
export interface MessageRecord extends Made {
  id: string
  fromUserId: string
  toUserId: string
  text: string
  number: number
  sentAt: string
  seq: number
  deliveredAt?: string
  deliveredSeq?: number
}
export interface Conversation {
  messages: MessageRecord[]
  /** By user: up to which number they have read; whom they have blocked. */
  readUpTo: Record<string, number>
  blocked: Record<string, boolean>
  lastAt: string
  /** Of the newest entry. */
  seq: number
}

/** One client of the fake. */
export interface Session {
  userId: string | undefined
  lobbies: Set<string>
}

export const createWorld = (now: Date): World => ({
  nowMs: now.getTime(),
  users: new Map(),
  tokens: new Map(),
  transfers: new Map(),
  cars: new Map(),
  rooms: new Map(),
  bookings: new Map(),
  trains: new Map(),
  lobbies: new Map(),
  conversations: new Map(),
  messages: new Map(),
  seq: 0,
  feeds: createFeedStore(),
})

export const nowOf = ({ nowMs }: World): string => new Date(nowMs).toISOString()

/** Who calls, by the client that they call with. */
export interface Caller {
  userId: string
  role: 'user' | 'admin'
  session: Session
}

/** An input as functions get it: times are texts. */
export type Given<N extends OperationName> = { [K in keyof Input<N>]: Exclude<Input<N>[K], Date> }

export type Handler<N extends OperationName> = (world: World, input: Given<N>, caller: Caller) => Data<N>

/** What an operation answers in place of its data. */
export class Refused extends Error {
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly details?: Record<string, unknown>,
  ) {
    super(message)
  }
}

/** As its caller gets it. None of the fake's refusals is only for now. */
export const callError = ({ code, message, details }: Refused, operation?: string): CallError =>
  new CallError({ code, message, ...(details && { details }), retryable: false, requestId: '' }, operation)

export const invalid = (path: string, message: string): Refused =>
  new Refused('invalid_input', 'The input breaks the contract.', { issues: [{ path, message }] })

/** Who asked for what: the same request again is known by it. */
export const requestOf = (by: string, input: object): string => `${by} ${canonical(input)}`

const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  )

type Reusable = ErrorCode extends infer C ? (C extends `${infer E}_id_reused` ? E : never) : never

/** Stores an entity, or answers the one that the same request stored before. */
export function insertOnce<T extends Made & { id: string }>(all: Map<string, T>, entity: Reusable, made: T): T {
  const earlier = all.get(made.id)
  if (earlier && earlier.request !== made.request) {
    throw new Refused(`${entity}_id_reused`, `The id ${made.id} belongs to another ${entity}.`)
  }
  if (!earlier) all.set(made.id, made)
  return earlier ?? made
}

export function checkVersion(entity: string, current: number, version: number): void {
  if (current === version) return
  throw new Refused('version_conflict', `The ${entity} is at version ${current} by now.`, { version: current })
}

interface Asked {
  limit?: number
  cursor?: string
}

/** One page of what matches, by when it was made. */
export function pageOf<T extends { id: string; createdAt: string }>(
  all: Iterable<T>,
  order: 'oldestFirst' | 'newestFirst',
  { limit = 50, cursor }: Asked,
): { found: T[]; nextCursor: string | null } {
  const direction = order === 'oldestFirst' ? 1 : -1
  const placeOf = ({ createdAt, id }: T): string => `${createdAt} ${id}`
  const place = cursor === undefined ? undefined : readCursor(cursor)
  const sorted = [...all]
    .sort((a, b) => (placeOf(a) < placeOf(b) ? -direction : direction))
    .filter((each) => place === undefined || (direction === 1 ? placeOf(each) > place : placeOf(each) < place))
  const found = sorted.slice(0, limit)
  const last = found.at(-1)
  return { found, nextCursor: last && sorted.length > limit ? writeCursor(placeOf(last)) : null }
}

export const writeCursor = (place: string): string => btoa(`fake ${place}`)

export function readCursor(cursor: string): string {
  try {
    const text = atob(cursor)
    if (text.startsWith('fake ')) return text.slice('fake '.length)
  } catch {
    // It is no base64.
  }
  throw invalid('cursor', 'must be the nextCursor of a page of this list')
}

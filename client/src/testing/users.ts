import { newId } from '../calls.js'
import type { Data } from '../connect.js'
import type { LedgerEntry } from '../operations.js'
import {
  checkVersion,
  invalid,
  nowOf,
  pageOf,
  readCursor,
  Refused,
  requestOf,
  writeCursor,
  type Caller,
  type Handler,
  type UserRecord,
  type World,
} from './world.js'

/** Users, their balances and their sessions. */

const TOKEN_MS = 15 * 60_000
const SHOWN = 100

export const presentUser = ({
  id,
  name,
  email,
  role,
  balance,
  bookings,
  version,
  ...user
}: UserRecord): Data<'getUser'> => ({
  id,
  name,
  email,
  role,
  balance,
  bookings: bookings.slice(-SHOWN),
  pendingBookings: [],
  version,
  createdAt: user.createdAt,
  updatedAt: user.updatedAt,
})

const notFound = (userId: string): Refused => new Refused('user_not_found', `There is no user ${userId}.`)

/** Plain users see themselves alone. */
function visible({ users }: World, userId: string, caller?: Caller): UserRecord {
  const user = users.get(userId)
  if (!user || (caller?.role === 'user' && caller.userId !== userId)) throw notFound(userId)
  return user
}

export const createUser: Handler<'createUser'> = (world, { password, ...input }, caller) => {
  const request = requestOf(caller.userId, { ...input, hasPassword: password !== undefined })
  return presentUser(insertUser(world, { role: 'user', ...input, password }, request))
}

export const signUp: Handler<'signUp'> = (world, { password, device: _device, ...input }) => {
  const name = input.name ?? input.email.slice(0, input.email.indexOf('@'))
  return sessionOf(world, insertUser(world, { ...input, role: 'user', name, password }, requestOf('anonymous', input)))
}

export const signIn: Handler<'signIn'> = (world, { email, password }) => {
  const user = [...world.users.values()].find((each) => each.email === email)
  if (!user || user.password !== password) {
    throw new Refused('unauthenticated', 'E-mail address or password is wrong.')
  }
  return sessionOf(world, user)
}

interface NewUser {
  userId?: string | undefined
  name: string
  email: string
  role: 'user' | 'admin'
  password?: string | undefined
}

export function insertUser(
  world: World,
  { userId: id = newId(), name, email, role, password }: NewUser,
  request: string,
): UserRecord {
  const earlier = world.users.get(id)
  if (earlier) {
    if (earlier.request === request && (password === undefined || earlier.password === password)) return earlier
    throw new Refused('user_id_reused', `The id ${id} belongs to a user made by another request.`)
  }
  refuseTaken(world, email)
  const at = nowOf(world)
  const user: UserRecord = {
    ...{
      id,
      name,
      email,
      role,
      balance: 0,
      bookings: [],
      pendingBookings: [],
      version: 0,
      createdAt: at,
      updatedAt: at,
    },
    ...{ request, netDeposits: 0, ledger: [], ...(password !== undefined && { password }) },
  }
  world.users.set(id, user)
  return user
}

function refuseTaken({ users }: World, email: string, by?: string): void {
  for (const user of users.values()) {
    if (user.email === email && user.id !== by)
      throw new Refused('email_taken', 'Another user has this e-mail address.')
  }
}

function sessionOf(world: World, user: UserRecord): Data<'signIn'> {
  const token = `fake-${newId()}`
  world.tokens.set(token, user.id)
  const tokenExpiresAt = new Date(world.nowMs + TOKEN_MS).toISOString()
  return { user: presentUser(user), token, tokenExpiresAt, refreshToken: `fake-${newId()}`, sessionId: newId() }
}

export const getUser: Handler<'getUser'> = (world, { userId }, caller) => presentUser(visible(world, userId, caller))

export const updateUser: Handler<'updateUser'> = (world, { userId, version, set }, caller) => {
  const user = visible(world, userId, caller)
  if (set.role !== undefined && caller.role === 'user') throw new Refused('forbidden', 'Only admins change roles.')
  if (set.email !== undefined && caller.userId === userId) {
    throw new Refused('forbidden', "One's own e-mail address is changed by requestEmailChange, and confirmed.")
  }
  checkVersion('user', user.version, version)
  if (set.email !== undefined) refuseTaken(world, set.email, userId)
  Object.assign(user, set, { version: version + 1, updatedAt: nowOf(world) })
  return presentUser(user)
}

const searchKey = (text: string): string =>
  text.normalize('NFC').toUpperCase().toLowerCase().replaceAll('i\u0307', 'i').replaceAll('ς', 'σ')

export const listUsers: Handler<'listUsers'> = (world, { query, ...page }) => {
  const begins = (text: string): boolean => query === undefined || searchKey(text).startsWith(searchKey(query))
  const matching = [...world.users.values()].filter(({ name, email }) => begins(name) || begins(email))
  const { found, nextCursor } = pageOf(matching, 'oldestFirst', page)
  return { items: found.map(presentUser), nextCursor }
}

/** Changes a balance, with its entry of the ledger. */
export function move(
  world: World,
  user: UserRecord,
  cause: LedgerEntry['cause'],
  causeId: string,
  change: number,
): void {
  const at = nowOf(world)
  user.balance += change
  user.updatedAt = at
  const id = `${user.id}:${user.ledger.length + 1}`
  user.ledger.push({ id, at, cause, causeId, change, balanceAfter: user.balance })
}

export const depositFunds: Handler<'depositFunds'> = (world, { depositId = newId(), userId, amount }, caller) =>
  transfer(world, 'deposit', { id: depositId, userId, amount }, requestOf(caller.userId, { depositId, userId, amount }))

export const withdrawFunds: Handler<'withdrawFunds'> = (world, { withdrawalId = newId(), userId, amount }, caller) => {
  const request = requestOf(caller.userId, { withdrawalId, userId, amount })
  return transfer(world, 'withdrawal', { id: withdrawalId, userId, amount: -amount }, request)
}

const REFUSALS = {
  deposit: ['balance_limit_exceeded', 'What the user has, bookings included, would pass 2^53 - 1.'],
  withdrawal: ['insufficient_funds', 'The balance does not cover the amount.'],
} as const

function transfer(
  world: World,
  kind: keyof typeof REFUSALS,
  { id, userId, amount }: { id: string; userId: string; amount: number },
  request: string,
): Data<'getUser'> {
  const key = `${kind}:${id}`
  const earlier = world.transfers.get(key)
  const reused = new Refused(
    `${kind}_id_reused`,
    `This ${kind}Id was sent before with another input or by another caller.`,
  )
  const user = world.users.get(userId)
  if (!user) throw earlier ? reused : notFound(userId)
  if (earlier && earlier.request !== request) throw reused
  if (!earlier) {
    const allowed = amount > 0 ? user.netDeposits <= Number.MAX_SAFE_INTEGER - amount : user.balance >= -amount
    world.transfers.set(key, { request, ...(!allowed && { refusal: REFUSALS[kind][0] }) })
    if (allowed) {
      move(world, user, kind, id, amount)
      user.netDeposits += amount
    }
  }
  const [code, message] = REFUSALS[kind]
  if (world.transfers.get(key)?.refusal) throw new Refused(code, message)
  return presentUser(user)
}

export const listLedger: Handler<'listLedger'> = (world, { userId, limit = 50, cursor }, caller) => {
  const { ledger } = visible(world, userId, caller)
  const before = cursor === undefined ? ledger.length + 1 : Number(readCursor(cursor))
  if (!Number.isSafeInteger(before) || before < 1)
    throw invalid('cursor', 'must be the nextCursor of a page of this list')
  const first = Math.max(0, before - 1 - limit)
  const items = ledger.slice(first, before - 1).reverse()
  return { items, nextCursor: items.length > 0 && first > 0 ? writeCursor(String(first + 1)) : null }
}

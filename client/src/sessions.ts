import { newId } from './calls.js'
import { connect, type ConnectOptions, type Data, type Holdfast } from './connect.js'
import { isRefusal } from './errors.js'

/**
 * Keeps one text: in `localStorage`, a file, ... Whoever can read it is signed in as the user. Where it fails, what needed
 * it is tried again.
 */
export interface SessionStore {
  get(): string | null | undefined | Promise<string | null | undefined>
  set(text: string): void | Promise<void>
  remove(): void | Promise<void>
}

/** What a program needs to go on with a session. `refreshId` is chosen before it is used: a lost answer is asked for again. */
export interface Session {
  sessionId: string
  userId: string
  token: string
  refreshToken: string
  refreshId: string
}

export const sessionOf = ({ sessionId, user, token, refreshToken }: Data<'signIn'>): Session => ({
  ...{ sessionId, userId: user.id, token, refreshToken },
  refreshId: newId(),
})

const FIELDS: readonly (keyof Session)[] = ['sessionId', 'userId', 'token', 'refreshToken', 'refreshId']

/** Undefined where there is none, or what is there is not of this kind. */
export async function readSession(store: SessionStore | undefined): Promise<Session | undefined> {
  const text = await store?.get()
  if (!text) return undefined
  try {
    const found = JSON.parse(text) as Record<string, unknown> | null
    return FIELDS.every((field) => typeof found?.[field] === 'string') ? (found as unknown as Session) : undefined
  } catch {
    return undefined
  }
}

export const writeSession = async (store: SessionStore | undefined, session: Session): Promise<void> =>
  store?.set(JSON.stringify(session))

type Options = Omit<ConnectOptions, 'token'>

export interface Renewing {
  /** For `connect`. */
  token(this: void, refused: boolean): Promise<string | null>
  /** Goes on with a session that took this one's place. */
  adopt(answer: Data<'signIn'>): Promise<void>
}

/**
 * The tokens of a session. Each refresh token works once, so what is next is stored before it is used, and
 * whoever shares the store goes on from what is there. A store that has another session by now is left alone.
 */
export function renewing(url: string, options: Options, first: Session, store: SessionStore | undefined): Renewing {
  let session = first
  const isOurs = (stored: Session | undefined): stored is Session => stored?.sessionId === session.sessionId

  async function renew(): Promise<string | null> {
    const stored = await readSession(store)
    if (isOurs(stored)) session = stored
    const { refreshToken, refreshId } = session
    try {
      const answer = await anonymously(url, options, (each) => each.refreshSession({ refreshToken, refreshId }))
      session = sessionOf(answer)
    } catch (error) {
      if (!isRefusal(error, 'refreshSession') || error.code !== 'unauthenticated') throw error
      if (isOurs(await readSession(store))) await store?.remove()
      return null
    }
    const now = await readSession(store)
    // Without locks another one may have asked the same: both go on with what was stored first.
    if (now?.refreshToken === session.refreshToken) session = now
    else if (isOurs(now)) await writeSession(store, session)
    return session.token
  }

  return {
    token: async (refused) => (refused ? alone(`holdfast ${session.sessionId}`, renew) : session.token),
    async adopt(answer) {
      const kept = isOurs(await readSession(store))
      session = sessionOf(answer)
      if (kept) await writeSession(store, session)
    },
  }
}

interface Locks {
  request<T>(name: string, run: () => Promise<T>): Promise<T>
}

/** Of all pages of an origin one at a time, in browsers that have Web Locks: all, where the page came by https. */
function alone<T>(name: string, run: () => Promise<T>): Promise<T> {
  const { navigator } = globalThis as { navigator?: { locks?: Locks } }
  return navigator?.locks ? navigator.locks.request(name, run) : run()
}

export async function anonymously<T>(
  url: string,
  options: Options,
  ask: (anonymous: Holdfast) => Promise<T>,
): Promise<T> {
  const anonymous = await connect(url, options)
  try {
    return await ask(anonymous)
  } finally {
    anonymous.close()
  }
}

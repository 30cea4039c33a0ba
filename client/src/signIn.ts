import type { CallOptions } from './calls.js'
import { connect, type ConnectOptions, type Data, type Holdfast, type Input } from './connect.js'
import { CallError } from './errors.js'
import { anonymously, readSession, renewing, sessionOf, writeSession } from './sessions.js'
import type { Renewing, SessionStore } from './sessions.js'

/** A user's own client, and who the user is. */
export interface SignedIn {
  holdfast: Holdfast
  user: Data<'signIn'>['user']
}

export interface SignInOptions extends Omit<ConnectOptions, 'token'> {
  /** Where the session is kept, so that `resume` goes on with it. */
  store?: SessionStore
}

/**
 * Signs in with an e-mail address and a password, and connects as that user, for as long as the session lasts: its tokens
 * are replaced as they expire. Throws a CallError where address or password are wrong.
 */
export const signIn = (url: string, input: Input<'signIn'>, options: SignInOptions = {}): Promise<SignedIn> =>
  begin(url, options, (anonymous) => anonymous.signIn(input))

/** Makes an account, and connects as its user, as `signIn` does. */
export const signUp = (url: string, input: Input<'signUp'>, options: SignInOptions = {}): Promise<SignedIn> =>
  begin(url, options, (anonymous) => anonymous.signUp(input))

/**
 * Goes on with the session of an earlier program, or of the page before it was loaded again. Answers null where there is
 * none, or it has ended: sign in. Throws a CallError where no gateway answers in time; the session is kept then.
 */
export async function resume(
  url: string,
  { store, ...options }: SignInOptions & { store: SessionStore },
): Promise<SignedIn | null> {
  const session = await readSession(store)
  if (!session) return null
  let holdfast: Holdfast | undefined
  try {
    holdfast = await connectAs(url, options, renewing(url, options, session, store))
    return { holdfast, user: await holdfast.getUser({ userId: session.userId }) }
  } catch (error) {
    holdfast?.close()
    if (error instanceof CallError && error.code === 'unauthenticated') return null
    throw error
  }
}

async function begin(
  url: string,
  { store, ...options }: SignInOptions,
  ask: (anonymous: Holdfast) => Promise<Data<'signIn'>>,
): Promise<SignedIn> {
  const begun = await anonymously(url, options, ask)
  const session = sessionOf(begun)
  await writeSession(store, session)
  return {
    user: begun.user,
    holdfast: await connectAs(url, options, renewing(url, options, session, store)),
  }
}

/** Whoever changes the password is given a session in place of all others: the client goes on with it. */
async function connectAs(url: string, options: ConnectOptions, session: Renewing): Promise<Holdfast> {
  const holdfast = await connect(url, { ...options, token: session.token })
  const { call } = holdfast
  holdfast.call = async (operation: string, input: object, callOptions?: CallOptions) => {
    const answer = await call(operation, input, callOptions)
    if (operation === 'changePassword') await session.adopt(answer as Data<'changePassword'>)
    return answer
  }
  return holdfast
}

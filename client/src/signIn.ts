import { newId } from './calls.js'
import { connect, type ConnectOptions, type Data, type Holdfast, type Input } from './connect.js'
import { isRefusal } from './errors.js'

/** A user's own client, and who the user is. */
export interface SignedIn {
  holdfast: Holdfast
  user: Data<'signIn'>['user']
}

type Options = Omit<ConnectOptions, 'token'>

/**
 * Signs in with an e-mail address and a password, and connects as that user, for as long as the session lasts: its tokens
 * are replaced as they expire. Throws a CallError where address or password are wrong.
 */
export const signIn = (url: string, input: Input<'signIn'>, options: Options = {}): Promise<SignedIn> =>
  begin(url, options, (anonymous) => anonymous.signIn(input))

/** Makes an account, and connects as its user, as `signIn` does. */
export const signUp = (url: string, input: Input<'signUp'>, options: Options = {}): Promise<SignedIn> =>
  begin(url, options, (anonymous) => anonymous.signUp(input))

async function begin(
  url: string,
  options: Options,
  ask: (anonymous: Holdfast) => Promise<Data<'signIn'>>,
): Promise<SignedIn> {
  const session = await anonymously(url, options, ask)
  return { user: session.user, holdfast: await connect(url, { ...options, token: renewing(url, options, session) }) }
}

/** Each refresh token works once; until its answer is here, what asks for the next one is the same request. */
function renewing(url: string, options: Options, first: Data<'signIn'>): (refused: boolean) => Promise<string | null> {
  let session = first
  let refreshId = newId()
  return async (refused) => {
    if (!refused) return session.token
    const { refreshToken } = session
    try {
      session = await anonymously(url, options, (anonymous) => anonymous.refreshSession({ refreshToken, refreshId }))
    } catch (error) {
      if (isRefusal(error, 'refreshSession') && error.code === 'unauthenticated') return null
      throw error
    }
    refreshId = newId()
    return session.token
  }
}

async function anonymously<T>(url: string, options: Options, ask: (anonymous: Holdfast) => Promise<T>): Promise<T> {
  const anonymous = await connect(url, options)
  try {
    return await ask(anonymous)
  } finally {
    anonymous.close()
  }
}

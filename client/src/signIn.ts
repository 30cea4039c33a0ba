import { connect, type ConnectOptions, type Data, type Holdfast, type Input } from './connect.js'

/** A user's own client, and who the user is. */
export interface SignedIn {
  holdfast: Holdfast
  user: Data<'signIn'>['user']
}

/** Signs in with an e-mail address and a password, and connects as that user. Throws a CallError where they are wrong. */
export const signIn = (url: string, input: Input<'signIn'>, options: ConnectOptions = {}): Promise<SignedIn> =>
  begin(url, options, (anonymous) => anonymous.signIn(input))

/** Makes an account, and connects as its user. */
export const signUp = (url: string, input: Input<'signUp'>, options: ConnectOptions = {}): Promise<SignedIn> =>
  begin(url, options, (anonymous) => anonymous.signUp(input))

async function begin(
  url: string,
  options: ConnectOptions,
  ask: (anonymous: Holdfast) => Promise<Data<'signIn'>>,
): Promise<SignedIn> {
  const anonymous = await connect(url, options)
  try {
    const { user, token } = await ask(anonymous)
    return { user, holdfast: await connect(url, { ...options, token }) }
  } finally {
    anonymous.close()
  }
}

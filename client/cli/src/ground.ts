import { connect, resume, type Holdfast, type SessionStore } from '../../src/index.js'

/** Where a command stands: which gateway, as whom, and how it prints. */
export interface Ground {
  url: string
  json: boolean
  /** Of the gateway's session. */
  store: SessionStore
  /** Connects as whoever is signed in, for as long as the work takes; `whoId` says who that is. */
  connected<T>(work: (holdfast: Holdfast, whoId: () => string) => Promise<T>): Promise<T>
}

export class NotSignedIn extends Error {
  constructor() {
    super('Nobody is signed in: sign-in does that, or --token.')
  }
}

/** Somebody waits in front of it: a gateway that is not there is told soon, and long work may take its time. */
export const CONNECT = { deadlineMs: 5000 }
export const CALL = { deadlineMs: 120_000 }

export interface Globals {
  url: string
  token?: string
  json?: boolean
}

export const groundOf = ({ url, token, json = false }: Globals, store: SessionStore): Ground => ({
  ...{ url, json, store },
  async connected(work) {
    const [holdfast, whoId] = token === undefined ? await resumed(url, store) : await withToken(url, token)
    try {
      return await work(holdfast, whoId)
    } finally {
      holdfast.close()
    }
  },
})

type Who = [holdfast: Holdfast, whoId: () => string]

async function resumed(url: string, store: SessionStore): Promise<Who> {
  const session = await resume(url, { ...CONNECT, store })
  if (!session) throw new NotSignedIn()
  return [session.holdfast, () => session.user.id]
}

const withToken = async (url: string, token: string): Promise<Who> => [
  await connect(url, { ...CONNECT, token }),
  () => {
    const [, claims] = token.split('.')
    if (claims === undefined) throw new Error('An API key does not say whose it is: sign in.')
    return (JSON.parse(Buffer.from(claims, 'base64url').toString()) as { sub: string }).sub
  },
]

import { connect, type Holdfast, type Token } from '../../src/index.js'
import type { SessionFile } from './session.js'

/** Where a command stands: which gateway, as whom, and how it prints. */
export interface Ground {
  url: string
  json: boolean
  /** Connects as whoever is signed in, for as long as the work takes. */
  connected<T>(work: (holdfast: Holdfast) => Promise<T>): Promise<T>
  /** Who is signed in. */
  userId(): string
}

export class NotSignedIn extends Error {
  constructor() {
    super('Nobody is signed in: sign-in does that, or --token.')
  }
}

/** Somebody waits in front of it: a gateway that is not there is told soon, and long work may take its time. */
const CONNECT_MS = 5000
export const CALL = { deadlineMs: 120_000 }

export const open = (url: string, token?: Token): Promise<Holdfast> =>
  connect(url, { deadlineMs: CONNECT_MS, ...(token !== undefined && { token }) })

export interface Globals {
  url: string
  token?: string
  json?: boolean
}

export const groundOf = ({ url, token, json = false }: Globals, file: SessionFile): Ground => ({
  url,
  json,
  async connected(work) {
    const used = token ?? file.token(url)
    if (used === undefined) throw new NotSignedIn()
    const holdfast = await open(url, used)
    try {
      return await work(holdfast)
    } finally {
      holdfast.close()
    }
  },
  userId() {
    const used = token ?? (file.read()?.url === url ? file.read()?.token : undefined)
    if (used === undefined) throw new NotSignedIn()
    const [, claims = ''] = used.split('.')
    return (JSON.parse(Buffer.from(claims, 'base64url').toString()) as { sub: string }).sub
  },
})

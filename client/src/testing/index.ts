import type { Holdfast, Input } from '../connect.js'
import type { SignedIn } from '../signIn.js'
import { createClient } from './client.js'
import { insertUser } from './users.js'
import { createWorld } from './world.js'

/** A server in memory, for tests of what uses the client: the same operations, refusals and feeds, and a clock that stands still. */
export interface Fake {
  /** A client of an admin. */
  admin: Holdfast
  /** A client by a token of signIn or signUp, or of whichever user; without either it is anonymous. */
  connect(options?: { token?: string; userId?: string }): Promise<Holdfast>
  /** Makes an account, and connects as its user, as the package's own does without the url. */
  signUp(input: Input<'signUp'>): Promise<SignedIn>
  signIn(input: Input<'signIn'>): Promise<SignedIn>
  now(): Date
  /** Moves the clock on. */
  advance(ms: number): void
}

const START = '2031-01-01T00:00:00.000Z'

/** `now`: where the clock stands at first. */
export function createFake({ now = new Date(START) }: { now?: Date } = {}): Fake {
  const world = createWorld(now)
  const root = insertUser(world, { name: 'Root', email: 'root@example.com', role: 'admin' }, '')
  const connect = (userId?: string): Holdfast => createClient(world, { userId, lobbies: new Set() })
  const anonymous = connect()
  return {
    admin: connect(root.id),
    connect: ({ token = '', userId = world.tokens.get(token) } = {}) => Promise.resolve(connect(userId)),
    async signUp(input) {
      const { user } = await anonymous.signUp(input)
      return { user, holdfast: connect(user.id) }
    },
    async signIn(input) {
      const { user } = await anonymous.signIn(input)
      return { user, holdfast: connect(user.id) }
    },
    now: () => new Date(world.nowMs),
    advance: (ms) => void (world.nowMs += ms),
  }
}

import type { ExecutionContext } from 'ava'
import { connect, type Holdfast } from '../../../client/src/index.js'
import { createFake } from '../../../client/src/testing/index.js'
import { messageBoxProjection } from '../../../functions/messages/messageBox.projection.js'
import { users } from '../../../functions/users/contract.js'
import { watchFeeds } from '../../../gateway/feedWatch.js'
import { startDispatching } from '../../../platform/events/dispatcher.js'
import { signToken } from '../../../platform/runtime/tokens.js'
import { loadContracts } from '../../../platform/runtime/tree.js'
import { followersOf } from '../../../projections/followers.js'
import { startFollowers } from '../../../projections/runner.js'
import { startGateway } from '../../gateway/support.js'
import { untilMajority } from '../../support/majority.js'
import { createTestSystem } from '../../support/system.js'

/** A server that cases run on: the real one, with its clock standing still, or the fake. */
export interface Backend {
  admin: Holdfast
  anonymous: Holdfast
  as(userId: string): Promise<Holdfast>
  advance(ms: number): void
  /** What was written is in every read from here on; views, too, where they are asked for. */
  settle(views: boolean): Promise<void>
}

export async function fakeBackend(): Promise<Backend> {
  const fake = createFake()
  return {
    admin: fake.admin,
    anonymous: await fake.connect(),
    as: (userId) => fake.connect({ userId }),
    advance: fake.advance,
    settle: () => Promise.resolve(),
  }
}

export async function realBackend(t: ExecutionContext, { tells = false } = {}): Promise<Backend> {
  const system = await createTestSystem(t, { env: { RATE_LIMIT_PER_SECOND: '0' } })
  if (tells) {
    const dispatching = await startDispatching(system)
    t.teardown(() => dispatching.stop())
    const following = startFollowers(system, followersOf(system))
    t.teardown(() => following.stop())
  }
  const { port } = await startGateway(t, {
    overrides: {
      contracts: await loadContracts(),
      config: { ...system.config, gateway: { ...system.config.gateway, port: 0 } },
      request: (envelope) => system.handle(envelope),
      watchFeeds: watchFeeds(system),
      now: system.now,
    },
  })
  const open = async (token?: string): Promise<Holdfast> => {
    const holdfast = await connect(`http://127.0.0.1:${port}`, token === undefined ? {} : { token })
    t.teardown(() => holdfast.close())
    return holdfast
  }
  const as = async (userId: string): Promise<Holdfast> => {
    const { role } = await system.run(users.getUser, { userId })
    // A day: cases move the clock on.
    return open(await signToken({ userId, role, tokenVersion: 0 }, system.config, system.now(), 400 * 24 * 3_600_000))
  }
  const root = await system.run(users.createUser, { name: 'Root', email: 'root@example.com', role: 'admin' })
  return {
    admin: await as(root.id),
    anonymous: await open(),
    as,
    advance: system.clock.advance,
    async settle(views) {
      await untilMajority(system)
      while (views && (await system.use(messageBoxProjection).advance()) > 0);
    },
  }
}

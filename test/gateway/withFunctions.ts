import type { ExecutionContext } from 'ava'
import { signToken } from '../../platform/runtime/tokens.js'
import { createTestSystem, type TestSystem } from '../support/system.js'
import { startGateway, type TestGateway } from './support.js'

export interface TestGatewayWithFunctions extends TestGateway {
  system: TestSystem
  /** The token of a new user. */
  tokenOf(role: 'user' | 'admin', options?: { balance?: number }): Promise<string>
}

/** The gateway before the real functions and a real database. */
export async function startWithFunctions(t: ExecutionContext): Promise<TestGatewayWithFunctions> {
  const system = await createTestSystem(t, { now: () => new Date() })
  const harness = await startGateway(t, {
    overrides: {
      config: { ...system.config, gateway: { ...system.config.gateway, port: 0 } },
      request: (envelope) => system.handle(envelope),
    },
  })
  return Object.assign(harness, {
    system,
    async tokenOf(role: 'user' | 'admin', options: { balance?: number } = {}) {
      const { userId } = await system.makeUser({ ...options, role })
      return signToken({ userId, role, tokenVersion: 0 }, system.config, system.now())
    },
  })
}

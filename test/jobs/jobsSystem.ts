import type { ExecutionContext } from 'ava'
import { migrateUp } from '../../platform/migrations/migrations.js'
import { createTestSystem, type TestSystem, type TestSystemOptions } from '../support/system.js'
import { scheduledFunctions } from './scheduledFunctions.js'

/** A test's system that has the jobs database too. Its clock runs, since Agenda knows no other. */
export async function createJobsSystem(
  t: ExecutionContext,
  functions: TestSystemOptions['functions'] = scheduledFunctions({}),
  { env, ...options }: TestSystemOptions = {},
): Promise<TestSystem> {
  const system = await createTestSystem(t, {
    functions,
    now: () => new Date(),
    env: { RECOVERY_INTERVAL_MS: '250', ...env },
    ...options,
  })
  await system.databases.connect(['jobs', 'expirations'])
  if (!options.beside) await migrateUp(system.config, { domains: ['jobs', 'expirations'] })
  return system
}

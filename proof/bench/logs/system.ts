import { loadConfig } from '../../../config/index.js'
import { createLogger } from '../../../platform/lib/log.js'
import { migrateUp } from '../../../platform/migrations/migrations.js'
import { createSystem, type System } from '../../../platform/runtime/system.js'
import { loadFunctions } from '../../../platform/runtime/tree.js'

const DOMAINS = ['users', 'payments', 'feeds', 'calendars', 'messages']

/** The functions of the logs in this process, on a database of its own. */
export async function startSystem(uri: string): Promise<System> {
  const config = loadConfig({
    NODE_ENV: 'test',
    MONGODB_URI: uri,
    AUTH_SECRET: 'the secret of the benchmark that signs tokens',
    CLUSTER_SECRET: 'the secret of the benchmark that signs calls',
    RATE_LIMIT_PER_SECOND: '0',
    MAX_OPEN_INVITATIONS: '1000000',
    LOG_LEVEL: 'error',
  })
  const functions = (await loadFunctions()).filter(({ operation }) => DOMAINS.includes(operation.domain))
  const system = createSystem({ config, log: createLogger('bench', 'error'), functions })
  await migrateUp(config, { domains: DOMAINS })
  await system.databases.connect(DOMAINS)
  return system
}

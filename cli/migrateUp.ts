import type { Config } from '../config/index.js'

// TODO platform/migrations
export const migrateUp = async (_config: Config, say: (line: string) => void): Promise<void> =>
  say('(no migrations yet)')

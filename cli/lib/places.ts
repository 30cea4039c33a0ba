import { placeOf, type Config } from '../../config/index.js'
import { domainsWithDatabase } from '../../platform/runtime/tree.js'
import { settingsThatDiffer } from './running.js'

/** The jobs are no folder of functions, and have a database all the same. */
export const allDomains = (): string[] => [...domainsWithDatabase(), 'jobs']

/**
 * Says on stderr, before a command does anything, which databases it speaks of (never who goes there) and which settings of
 * what runs are not its own. `changes`: these take effect by this command.
 */
export function tellPlaces(
  config: Config,
  domains: readonly string[],
  { changes = false }: { changes?: boolean } = {},
): void {
  for (const warning of config.warnings) console.error(`Beware: ${warning}`)
  for (const [uri, theirs] of byUri(config, domains)) {
    const of = domains.length > theirs.length ? ` (${theirs.join(', ')})` : ''
    console.error(`MongoDB: ${placeOf(uri)}${of}`)
  }
  const differing = settingsThatDiffer(config)
  if (differing.length === 0) return
  const what = `what runs in PM2_HOME=${config.pm2Home} has other settings than this command`
  console.error(`Beware: ${what}${changes ? ', which change now' : ''}: ${differing.join(', ')}`)
}

/** Which domains live at each URI. */
export function byUri(config: Config, domains: readonly string[]): Map<string, string[]> {
  const uris = new Map<string, string[]>()
  for (const domain of domains) {
    const uri = config.mongodbUri(domain)
    uris.set(uri, [...(uris.get(uri) ?? []), domain])
  }
  return uris
}

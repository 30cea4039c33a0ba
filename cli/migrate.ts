import { join, relative } from 'node:path'
import { loadConfig, type Config } from '../config/index.js'
import { PACKAGE_ROOT } from '../platform/lib/packageRoot.js'
import { createMigration, migratedDomains, MigrationError, MIGRATIONS } from '../platform/migrations/files.js'
import { migrateDown, migrateUp, migrationStatus, type MigrationOptions } from '../platform/migrations/migrations.js'
import { command, CommandFailure } from './lib/command.js'
import { reach } from './lib/reach.js'
import { longest } from '../client/apps/show.js'

const USAGE = `npm run migrate -- <command>

  up                        apply what is pending, in every domain's database
  down [--domain <domain>]  undo what was applied last
  down --to <migration>     undo what was applied after this one, in its domain
  status                    what is applied, and what is pending
  create <domain>/<words>   write a new, empty migration

A migration is migrations/<domain>/<number>-<words>.ts and is named <domain>/<number>-<words>. What is applied stands in
the collection "migrations" of the domain's database (MONGODB_URI_<DOMAIN>, else MONGODB_URI, else the embedded one).`

const OPTIONS = { to: { type: 'string' }, domain: { type: 'string' } } as const

await command(USAGE, OPTIONS, async ({ to, domain }, [verb, name, ...rest]) => {
  if (rest.length > 0 || (name !== undefined && verb !== 'create')) throw new CommandFailure(USAGE)
  if (to !== undefined && verb !== 'down') throw new CommandFailure(`--to belongs to down.\n\n${USAGE}`)
  const domains = chosen(domain ?? to?.split('/')[0])
  if (verb === 'up') return up(await reached(domains), { domains, say })
  if (verb === 'down') return down(await reached(domains), { domains, say, ...(to !== undefined && { to }) })
  if (verb === 'status') return status(await reached(domains), { domains })
  if (verb === 'create' && name !== undefined) return create(name)
  throw new CommandFailure(USAGE)
})

function chosen(domain: string | undefined): string[] {
  const all = migratedDomains(MIGRATIONS)
  if (domain === undefined) return all
  if (all.includes(domain)) return [domain]
  throw new CommandFailure(`No domain "${domain}" has migrations. Those that have: ${all.join(', ')}.`)
}

async function reached(domains: readonly string[]): Promise<Config> {
  const config = loadConfig()
  await reach(config, domains)
  return config
}

async function up(config: Config, options: MigrationOptions): Promise<void> {
  const applied = await migrateUp(config, options)
  say(applied.length > 0 ? `${applied.length} applied` : 'Nothing is pending')
}

async function down(config: Config, options: MigrationOptions & { to?: string }): Promise<void> {
  const undone = await migrateDown(config, options)
  if (undone.length === 0) say('Nothing to undo')
}

async function status(config: Config, options: MigrationOptions): Promise<number> {
  const found = await migrationStatus(config, options)
  const width = longest(['migration', ...found.map(({ id }) => id)])
  say(`${'migration'.padEnd(width)}  state    applied at`)
  for (const { id, state, appliedAt } of found)
    say(`${id.padEnd(width)}  ${state.padEnd(7)}  ${appliedAt?.toISOString() ?? '-'}`)
  return found.some(({ state }) => state === 'changed' || state === 'missing') ? 1 : 0
}

/** Among the sources: this may be a build, which has a copy of them. */
function create(name: string): void {
  const sources = join(PACKAGE_ROOT, 'migrations')
  try {
    say(relative(process.cwd(), createMigration(name, { sources, modules: sources })))
  } catch (error) {
    if (error instanceof MigrationError) throw new CommandFailure(`${error.message}.`)
    throw error
  }
}

function say(line: string): void {
  console.log(line)
}

import { relative } from 'node:path'
import { loadConfig } from '../config/index.js'
import { createMigration, MigrationError, MIGRATIONS } from '../platform/migrations/files.js'
import { migrateDown, migrateUp, migrationStatus } from '../platform/migrations/migrations.js'
import { outOfReach } from '../platform/runtime/system.js'
import { command, CommandFailure } from './lib/command.js'
import { longest } from './lib/table.js'

const USAGE = `npm run migrate -- <command>

  up                        apply what is pending, in every domain's database
  down [--domain <domain>]  undo what was applied last
  down --to <migration>     undo what was applied after this one, in its domain
  status                    what is applied, and what is pending
  create <domain>/<words>   write a new, empty migration

A migration is migrations/<domain>/<number>-<words>.ts and is named <domain>/<number>-<words>. What is applied stands in
the collection "migrations" of the domain's database (MONGODB_URI_<DOMAIN>, else MONGODB_URI, else the embedded one).`

const OPTIONS = { to: { type: 'string' }, domain: { type: 'string' } } as const

await command(USAGE, OPTIONS, async ({ to, domain }, [name = '', ...words]) => {
  const say = (line: string): void => console.log(line)
  const chosen = { ...(domain !== undefined && { domains: [domain] }), say }
  try {
    switch (name) {
      case 'up': {
        const applied = await migrateUp(loadConfig(), chosen)
        say(applied.length > 0 ? `${applied.length} applied` : 'Nothing is pending')
        return
      }
      case 'down': {
        const undone = await migrateDown(loadConfig(), { ...chosen, ...(to !== undefined && { to }) })
        if (undone.length === 0) say('Nothing to undo')
        return
      }
      case 'status': {
        const status = await migrationStatus(loadConfig(), chosen)
        const width = longest(['migration', ...status.map(({ id }) => id)])
        say(`${'migration'.padEnd(width)}  state    applied at`)
        for (const { id, state, appliedAt } of status)
          say(`${id.padEnd(width)}  ${state.padEnd(7)}  ${appliedAt?.toISOString() ?? '-'}`)
        return status.some(({ state }) => state === 'changed' || state === 'missing') ? 1 : 0
      }
      case 'create':
        say(relative(process.cwd(), createMigration(words[0] ?? '', MIGRATIONS)))
        return
      default:
        console.error(USAGE)
        return 1
    }
  } catch (error) {
    if (error instanceof MigrationError) throw new CommandFailure(error.message)
    if (outOfReach(error)) throw new CommandFailure(`MongoDB is out of reach: ${(error as Error).message}`)
    throw error
  }
})

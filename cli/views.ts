import { loadConfig } from '../config/index.js'
import { createLogger } from '../platform/lib/log.js'
import type { Projection } from '../platform/logs/projection.js'
import { rebuild, statusOf, verify } from '../platform/logs/rebuild.js'
import { createSystem, type System } from '../platform/runtime/system.js'
import { DOMAINS, projectionsOf } from '../projections/followers.js'
import { command, CommandFailure } from './lib/command.js'
import { reach } from './lib/reach.js'
import { table } from '../client/apps/show.js'

const USAGE = `npm run views -- <what to do>

  status             each view: how much of its log it has, and whether a rebuild is under way; which streams (an
                     invitation, two users) stand still because of an entry that the view can't take, and why
  rebuild            builds views from nothing, beside those that serve, and puts them in their place
  verify             builds views from nothing, compares them with those that serve, and drops them again. Exit code 1
                     where they differ
    --view <name>    calendars or messageBoxes; all by default

Works on MongoDB alone, while the system runs or not. A rebuild that was cut short goes on when it is started again.`

const OPTIONS = { view: { type: 'string' } } as const
const HEADER = ['VIEW', 'GENERATION', 'ENTRIES', 'BEHIND', 'HALTED', 'LAST MOVED', 'BUILDING']

await command(USAGE, OPTIONS, async ({ view }, [verb, ...rest]) => {
  if (rest.length > 0) throw new CommandFailure(USAGE)
  if (verb === 'status') return withProjections(view, status)
  if (verb === 'rebuild') return withProjections(view, rebuildAll)
  if (verb === 'verify') return withProjections(view, verifyAll)
  throw new CommandFailure(USAGE)
})

async function status(system: System, projections: Projection[]): Promise<void> {
  const rows = await Promise.all(projections.map((projection) => statusOf(system, projection)))
  print(
    table(
      HEADER,
      rows.map(({ name, generation, applied, behind, halts, movedAt, building }) => [
        name,
        String(generation),
        String(applied),
        String(behind),
        String(halts.length),
        applied > 0 ? movedAt.toISOString() : '-',
        building ? `generation ${building.generation}, ${building.applied} entries` : '-',
      ]),
    ),
  )
  for (const { name, halts } of rows)
    for (const { stream, number, failures, retryAt, error } of halts)
      print(`${name}, ${stream}, entry ${number}: ${error} (${failures} times, again at ${retryAt.toISOString()})`)
}

async function rebuildAll(system: System, projections: Projection[]): Promise<void> {
  for (const projection of projections) {
    const startedAt = performance.now()
    const entries = await rebuild(system, projection, print)
    print(`${projection.name}: rebuilt from ${entries} entries in ${seconds(startedAt)} s`)
  }
}

async function verifyAll(system: System, projections: Projection[]): Promise<number> {
  let equal = true
  for (const projection of projections) {
    const startedAt = performance.now()
    if ((await statusOf(system, projection)).building) {
      throw new CommandFailure(`A rebuild of ${projection.name} was begun: end it first (npm run views -- rebuild).`)
    }
    const found = await verify(system, projection, print)
    print(
      `${projection.name}: ${found.documents} documents from ${found.entries} entries in ${seconds(startedAt)} s, ${found.equal ? 'equal' : 'NOT EQUAL'}`,
    )
    for (const each of found.differences) print(`  ${each}`)
    equal &&= found.equal
  }
  return equal ? 0 : 1
}

async function withProjections(
  view: string | undefined,
  work: (system: System, projections: Projection[]) => Promise<number | void>,
): Promise<number | void> {
  const config = loadConfig()
  await reach(config, DOMAINS)
  const system = createSystem({ config, log: createLogger('views-cli', 'silent'), functions: [] })
  try {
    await system.databases.connect(DOMAINS).catch((error: Error) => {
      throw new CommandFailure(`MongoDB is out of reach: ${error.message}`, { cause: error })
    })
    const all = projectionsOf(system)
    const projections = all.filter(({ name }) => view === undefined || name === view)
    if (projections.length === 0) {
      throw new CommandFailure(`There is no view "${view}". There are: ${all.map(({ name }) => name).join(', ')}.`)
    }
    return await work(system, projections)
  } finally {
    await system.close()
  }
}

function seconds(sinceMs: number): string {
  return ((performance.now() - sinceMs) / 1000).toFixed(1)
}

function print(text: string): void {
  console.log(text)
}

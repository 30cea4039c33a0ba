import { loadConfig } from '../config/index.js'
import type { StoredEvent } from '../platform/events/events.js'
import { createLogger } from '../platform/lib/log.js'
import { outboxes, type Outbox } from '../platform/events/outbox.js'
import { countEvents, findEvent, listDead, listEvents, redrive } from '../platform/events/outboxAdmin.js'
import { createSystem } from '../platform/runtime/system.js'
import { command, CommandFailure } from './lib/command.js'
import { domainsWithDatabase } from '../platform/runtime/tree.js'
import { reach } from './lib/reach.js'
import { table } from '../client/apps/show.js'

const USAGE = `npm run events -- <what to do>

  list             what is not delivered yet: how many events, and the oldest of them
  show <id>        everything about one event; of each failure what it came of, and the requestId for the log
  dead             the dead letters: events that a subscriber failed 15 times. Later events of the same entity wait
                   behind them
  redrive <id>     send a dead letter again, to the subscribers that have not answered it
    --all            all of them
    --limit <n>    list and dead show so many (default 50)

Works on MongoDB alone: the system need not run, but events are delivered only when it does.`

const OPTIONS = { all: { type: 'boolean' }, limit: { type: 'string' } } as const
const HEADER = ['TYPE', 'ENTITY', 'VERSION', 'CREATED', 'STATE', 'FAILURES', 'LAST FAILURE', 'ID']
const MAX_PAGE = 200
const MAX_CAUSE_CHARS = 80

await command(USAGE, OPTIONS, async ({ all = false, limit = '50' }, [verb, target, ...rest]) => {
  if (rest.length > 0) throw new CommandFailure(`One event at a time, please.\n\n${USAGE}`)
  const shown = /^[1-9]\d{0,3}$/.test(limit) ? Number(limit) : 0
  if (!shown) throw new CommandFailure(`--limit ${limit}: not a number from 1 to 9999.`)
  if (verb === 'list' && !target) return withOutboxes((boxes) => list(boxes, shown))
  if (verb === 'dead' && !target) return withOutboxes(async (boxes) => print(overview(await allDead(boxes, shown))))
  if (verb === 'show' && target) return withOutboxes(async (boxes) => print(details(await theEvent(boxes, target))))
  if (verb === 'redrive' && all && !target) return withOutboxes(redriveAll)
  if (verb === 'redrive' && target && !all) return withOutboxes((boxes) => redriveOne(boxes, target))
  throw new CommandFailure(USAGE)
})

async function list(boxes: readonly Outbox[], limit: number): Promise<void> {
  for (const box of boxes) {
    const { waiting, failed, dead, carrying } = await countEvents(box)
    print(`${box.domains.join(', ')}:`)
    print(`  ${waiting} with the dispatcher, ${failed} failed and retried, ${dead} dead letters`)
    if (box.carriers.size > 0) print(`  ${carrying} records with events of their own`)
    const events = await listEvents(box, limit)
    if (events.length > 0) print(overview(events))
  }
}

async function redriveOne(boxes: readonly Outbox[], eventId: string): Promise<void> {
  const { outbox, event } = await theEvent(boxes, eventId)
  if (!(await redrive(outbox, event._id)))
    throw new CommandFailure(`${eventId} is no dead letter: it is retried by itself.`)
  print(`${event.type} ${eventId} is sent again.`)
}

async function redriveAll(boxes: readonly Outbox[]): Promise<void> {
  let count = 0
  for (const box of boxes) {
    for (const { _id } of await allDead([box], Infinity)) if (await redrive(box, _id)) count++
  }
  print(`${count} are sent again.`)
}

async function allDead(boxes: readonly Outbox[], limit: number): Promise<StoredEvent[]> {
  const found: StoredEvent[] = []
  let cursor: string | undefined
  do {
    const page = await listDead(boxes, { limit: Math.min(MAX_PAGE, limit - found.length), cursor })
    for (const each of page.documents) found.push(each)
    cursor = page.nextCursor ?? undefined
  } while (cursor !== undefined && found.length < limit)
  return found
}

async function theEvent(boxes: readonly Outbox[], eventId: string): Promise<{ outbox: Outbox; event: StoredEvent }> {
  const found = /^[0-9a-f]{24}$/.test(eventId) ? await findEvent(boxes, eventId) : undefined
  if (!found)
    throw new CommandFailure(`There is no event "${eventId}": it is delivered, or its record still carries it.`)
  return found
}

async function withOutboxes(work: (boxes: readonly Outbox[]) => Promise<void>): Promise<void> {
  const config = loadConfig()
  await reach(config, domainsWithDatabase())
  const system = createSystem({ config, log: createLogger('events-cli', 'silent'), functions: [] })
  try {
    const boxes = await system.use(outboxes)
    for (const { domains } of boxes) await system.databases.connect([domains[0] as string])
    await work(boxes)
  } finally {
    await system.close()
  }
}

function overview(events: readonly StoredEvent[]): string {
  if (events.length === 0) return 'None.'
  return table(
    HEADER,
    events.map((event) => [
      event.type,
      event.aggregate.id.toHexString(),
      String(event.version),
      event.createdAt.toISOString(),
      stateOf(event),
      String(event.failures.length),
      lastFailure(event),
      event._id.toHexString(),
    ]),
  )
}

function lastFailure({ failures }: StoredEvent): string {
  const { code, cause } = failures.at(-1) ?? { code: '-' }
  return cause === undefined ? code : `${code}: ${cause.split('\n')[0]?.slice(0, MAX_CAUSE_CHARS)}`
}

function stateOf({ deadAt, retryAt }: StoredEvent): string {
  if (deadAt) return 'dead'
  return retryAt ? `again at ${retryAt.toISOString()}` : 'with the dispatcher'
}

function details({ event }: { event: StoredEvent }): string {
  return JSON.stringify(event, null, 2)
}

function print(text: string): void {
  console.log(text)
}

import type { Data, Holdfast } from '../client/src/index.js'
import { loadConfig } from '../config/index.js'
import { command, CommandFailure } from './lib/command.js'
import { withClient } from './lib/gateway.js'
import { tokenFor } from './lib/operator.js'
import { allDomains } from './lib/places.js'
import { table } from '../client/apps/show.js'

const USAGE = `npm run bookings -- <what to do>

  show <id>           a booking's story: what it is, each takeover, its reversal, events that wait, its requestId
  list                those that have not moved for RECOVERY_STUCK_AFTER_MS, and those that recovery gave up (parked)
    --stuck           only those that recovery still works on
    --parked          only those that wait for an admin
  recover <id>        drives one to its end now, parked or not

Works on the running system, through the gateway.`

const OPTIONS = { stuck: { type: 'boolean' }, parked: { type: 'boolean' } } as const

await command(USAGE, OPTIONS, async ({ stuck, parked }, [verb, id, ...rest]) => {
  const filtered = stuck !== undefined || parked !== undefined
  if (rest.length > 0 || (filtered && verb !== 'list') || (stuck && parked)) throw new CommandFailure(USAGE)
  if (verb === 'list' && id === undefined)
    return asAdmin((client) => list(client, filtered ? Boolean(parked) : undefined))
  if (verb === 'show' && id !== undefined) return asAdmin((client) => show(client, id))
  if (verb === 'recover' && id !== undefined) return asAdmin((client) => recover(client, id))
  throw new CommandFailure(USAGE)
})

async function asAdmin(work: (client: Holdfast) => Promise<void>): Promise<void> {
  const config = loadConfig()
  await withClient(config, await tokenFor(config, 'admin', { speaksOf: allDomains() }), work)
}

async function list(client: Holdfast, parked: boolean | undefined): Promise<void> {
  const found: Data<'listStuckBookings'>['items'] = []
  let page: Data<'listStuckBookings'> | undefined
  do {
    const cursor = page?.nextCursor
    page = await client.listStuckBookings({ ...(parked !== undefined && { parked }), ...(cursor && { cursor }) })
    for (const each of page.items) found.push(each)
  } while (page.nextCursor)
  if (found.length === 0) return console.log(parked ? 'No booking is parked.' : 'No booking is stuck.')
  const rows = found.map((each) => [
    each.id,
    each.state,
    each.parked ? 'parked' : 'stuck',
    each.lastModified,
    each.userId,
  ])
  console.log(table(['ID', 'STATE', 'IS', 'SINCE', 'USER'], rows))
}

async function show(client: Holdfast, bookingId: string): Promise<void> {
  const { booking, reversal, repairs, requestId, epoch, waitingEvents } = await client.call('traceBooking', {
    bookingId,
  })
  const steps = [
    [booking.createdAt, `made by request ${requestId}`],
    ...repairs.map(({ at, by, from, why }) => [at, `taken over by ${by} in ${from}: ${why}`]),
    [
      booking.lastModified,
      `${booking.state}${booking.reason ? `: ${booking.reason}` : ''}${booking.parked ? ', parked' : ''}`,
    ],
    ...(reversal
      ? [
          [reversal.createdAt, `taken back by ${reversal.id}`],
          [reversal.lastModified, `${reversal.id} ${reversal.state}`],
        ]
      : []),
  ].sort(([a = ''], [b = '']) => (a < b ? -1 : 1))
  console.log(JSON.stringify(booking, null, 2))
  console.log(
    `\nepoch ${epoch}; ${waitingEvents.length === 0 ? 'every event is delivered' : `events that wait: ${waitingEvents.join(', ')}`}\n`,
  )
  console.log(steps.map((step) => step.join('  ')).join('\n'))
}

async function recover(client: Holdfast, bookingId: string): Promise<void> {
  const report = await client.call('recoverBookings', { bookingId })
  const [done] = Object.entries(report).filter(([name, count]) => name !== 'examined' && count > 0)
  const { booking } = await client.call('traceBooking', { bookingId })
  console.log(`${bookingId} is ${booking.state} (${done ? done[0] : 'nothing was to be done'}).`)
}

import type { Data } from '../client/src/index.js'
import { loadConfig } from '../config/index.js'
import { command } from './lib/command.js'
import { withClient } from './lib/gateway.js'
import { tokenFor } from './lib/operator.js'
import { allDomains } from './lib/places.js'
import { longest } from '../client/apps/show.js'

const USAGE = `npm run audit [-- --json]

Checks all books on the running system: every balance against its ledger and its bookings, cars, markers, outstanding
bookings. Exit code 1 where something is wrong. --json prints auditBooks's answer as it is.`

await command(USAGE, { json: { type: 'boolean' } }, async ({ json }) => {
  const config = loadConfig()
  return withClient(config, await tokenFor(config, 'admin', { speaksOf: allDomains() }), async (client) => {
    const audit = await client.call('auditBooks', {}, { deadlineMs: config.deadlinesMs.sweep })
    console.log(json ? JSON.stringify(audit, null, 2) : inWords(audit))
    return audit.ok ? 0 : 1
  })
})

function inWords({ ok, checked, violations, untold = {}, ...waiting }: Data<'auditBooks'>): string {
  const width = longest(violations.map(({ rule }) => rule))
  return [
    `Checked ${checked.users} users, ${checked.cars} cars, ${checked.rooms} rooms, ${checked.trains} trains, ${checked.bookings} bookings.`,
    ...violations.map(({ rule, entityId, detail }) => `  ${rule.padEnd(width)}  ${entityId}  ${detail}`),
    ...Object.entries(waiting).flatMap(([name, ids]) => ids.map((id) => `  waits for an admin, ${name}: ${id}`)),
    ...Object.entries(untold).map(([name, count]) => `  and ${count} more in ${name}`),
    ok ? 'The books balance.' : `${violations.length + (untold['violations'] ?? 0)} violations.`,
  ].join('\n')
}

import { z } from 'zod'
import { QUOTAS, SETTINGS } from '../../config/index.js'
import type { Operation } from '../../platform/contract/contract.js'
import { ERRORS } from '../../platform/contract/errors.js'
import { asyncapi } from './asyncapi.js'
import { clientTypes } from './clientTypes.js'
import { cookbookPage } from './cookbook.js'
import { eventsPage } from './eventsPage.js'
import { referencePage } from './referencePage.js'
import { fakeContracts } from './fakeContracts.js'
import { fields, type JsonSchema } from './shapes.js'
import { loadContracts } from '../../platform/runtime/tree.js'
import { STATES, TRANSITIONS } from '../../protocol/states.js'

/** The reference pages, by their path from docs/, made from the code that they describe. A test compares them with what is committed. */
export async function reference(): Promise<Map<string, string>> {
  const operations = [...(await loadContracts()).values()]
  return new Map([
    ['operations.md', operationsPage(operations)],
    ['events.md', MADE + (await eventsPage(operations))],
    ['errors.md', errorsPage(operations)],
    ['settings.md', settingsPage()],
    ['states.md', statesPage()],
    ['cookbook.md', MADE + cookbookPage()],
    ['reference.html', referencePage(operations)],
    ['asyncapi.json', await asyncapi(operations)],
    ['../client/src/testing/contracts.ts', fakeContracts(operations)],
    ['../client/src/operations.ts', await clientTypes()],
  ])
}

const MADE = '<!-- Made by `npm run docs`; edit the code it is made from. -->\n\n'

const ACCESS = {
  anyone: 'anyone, also anonymously',
  user: 'users for what is their own; admins for all',
  admin: 'admins',
  internal: 'other functions only',
}

function operationsPage(operations: Operation[]): string {
  const domains = [...new Set(operations.map(({ domain }) => domain))].sort()
  const sections = domains.flatMap((domain) => [
    `## ${domain}\n`,
    ...operations.filter((each) => each.domain === domain && each.access !== 'internal').map(operationSection),
  ])
  return `${MADE}# Operations

Every operation, by domain. A request is \`socket.timeout(ms).emitWithAck('<operation>', input)\`, its answer
\`{ok: true, data}\` or \`{ok: false, error: {code, message, details?, retryable, requestId}}\`. Besides the errors of its own,
which are listed in order of precedence, each operation may answer \`rate_limited\`, \`unauthenticated\`, \`forbidden\`,
\`invalid_input\`, \`deadline_exceeded\`, \`unavailable\` and \`internal\`: [errors.md](errors.md) says what to check for each.
A quota is what a plain user may store in a day (UTC) by the operations that name it, unless \`DAILY_QUOTAS\` says otherwise; a
request counts once, also where it is sent again or refused. Amounts are integers in minor units, ids 24 hex digits. Times are
answered as ISO 8601 in UTC with milliseconds; any RFC 3339 time is taken, with any offset, with or without a fraction.

${sections.join('\n')}`
}

function operationSection(operation: Operation): string {
  const input = z.toJSONSchema(operation.input, { io: 'input', unrepresentable: 'any' }) as JsonSchema
  const output = z.toJSONSchema(operation.output, { io: 'output', unrepresentable: 'any' }) as JsonSchema
  const again = operation.newId
    ? `yes: with the same \`${operation.newId}\` it is done once, and answers the first outcome`
    : operation.idempotent
      ? 'yes'
      : 'no: read first'
  return `### ${operation.name}

${operation.summary}

- **Who:** ${ACCESS[operation.access]}
- **Input:** ${fields(input)}
- **Data:** ${fields(output)}
- **Errors:** ${operation.errors.map((code) => `\`${code}\``).join(', ') || 'none of its own'}
${quotaLine(operation)}- **Safe to send again:** ${again}
`
}

/** By default; DAILY_QUOTAS says otherwise. */
function quotaLine({ quota, access }: Operation): string {
  if (!quota) return ''
  const names = [quota.count, ...(quota.bytes ? [quota.bytes.quota] : [])]
  const limits = names.map((name) => `\`${name}\`, ${QUOTAS[name].toLocaleString('en')}`)
  return `- **Quota:** ${limits.join('; ')} a day and ${access === 'anyone' ? 'address' : 'user'}\n`
}

function errorsPage(operations: Operation[]): string {
  const rows = Object.entries(ERRORS).map(([code, { retryable, check }]) => {
    const by = operations.filter(
      (each) => each.access !== 'internal' && (each.errors as readonly string[]).includes(code),
    )
    return `| \`${code}\` | ${retryable ? 'yes' : 'no'} | ${check} | ${by.map(({ name }) => name).join(', ')} |`
  })
  return `${MADE}# Errors

The codes are a closed vocabulary: a client is told one of these, never an internal message. Retryable means that the
very same request, sent again later, may succeed. A time-out or a lost reply is not a failure: the outcome is unknown until
the same request, with the same id, is answered.

| code | retryable | what to check | answered by, among others |
| --- | --- | --- | --- |
${rows.join('\n')}
`
}

function settingsPage(): string {
  const rows = Object.values(SETTINGS).map(
    ({ env, doc, values, fallback }) => `| \`${env}\` | ${doc} | ${values} | ${fallback && `\`${fallback}\``} |`,
  )
  return `${MADE}# Settings

Read from the environment, once, at the start. A value is read whole or not at all: a bad one, or values that contradict
each other, are a refusal to start that names them; what is secret is never printed. An empty variable is one that is not
set. A name that is nearly one of these is told.

What the code relies on is not a setting: every client of MongoDB reads on the primary, reads and writes with majority, journaled,
and sends no write again. A URI that asks for less (\`readPreference\`, \`w\`, \`journal\`, \`readConcernLevel\`, \`wtimeoutMS\`,
\`timeoutMS\` and their kin) is refused.

| variable | meaning | values | default |
| --- | --- | --- | --- |
${rows.join('\n')}
| \`MONGODB_URI_<DOMAIN>\` | MongoDB of one domain: \`MONGODB_URI_USERS\`, \`MONGODB_URI_BOOKINGS\`, \`MONGODB_URI_JOBS\` | as MONGODB_URI | \`MONGODB_URI\` |
`
}

function statesPage(): string {
  const arrows = STATES.flatMap((from) => TRANSITIONS[from].map((to) => `  ${from} --> ${to}`))
  const ends = STATES.filter((state) => TRANSITIONS[state].length === 0).map((state) => `  ${state} --> [*]`)
  return `${MADE}# The states of a booking

\`\`\`mermaid
stateDiagram-v2
  [*] --> INITIAL
${[...arrows, ...ends].join('\n')}
\`\`\`

Every arrow is a compare-and-set on (state, epoch). [protocol.md](protocol.md) says who takes each, and what a crash leaves behind.
`
}

import { z } from 'zod'
import type { Operation } from '../../platform/contract/contract.js'
import { GATEWAY_NEWS, type NewsSpec } from '../../platform/contract/news.js'
import { loadEvents, loadNews } from '../../platform/runtime/tree.js'
import { rows, type JsonSchema } from './shapes.js'

/** docs/events.md without its first line: what domains tell each other, and what sockets are told. */
export async function eventsPage(operations: readonly Operation[]): Promise<string> {
  const events = await loadEvents()
  const news = await loadNews()
  const domains = [...new Set(events.map(({ domain }) => domain))]
  return `# Events

What domains tell each other, and what clients are told at their sockets. [outbox.md](outbox.md) says how events are
delivered, [feeds.md](feeds.md) how news reach sockets. Both are told at least once; \`?\` marks what may be absent.

## Between domains

A subscriber is called with \`{eventId, type, aggregate: {type, id}, version, payload, createdAt}\`. The payload is the entity
as it was saved with the change.

${domains.map((domain) => eventsOf(domain, events, operations)).join('\n')}
## At sockets

\`socket.on('<name>', (news) => ...)\`; the client package has them in \`news()\` and \`lobby(id)\`, with these types. Besides
what is listed, news of a user have \`seq\` and \`at\`, and those of a lobby \`seq\`, \`at\` and \`lobbyId\`: the \`seq\` of the
user's feed, or of the lobby's, without gaps.

${news.map((each) => newsSection(each)).join('\n')}
## From the gateway

${Object.entries(GATEWAY_NEWS)
  .map(([name, { when, data }]) => `### \`${name}\`\n\n${when}\n\n${payloadTable(data)}`)
  .join('\n')}`
}

type Event = Awaited<ReturnType<typeof loadEvents>>[number]

/** One table of a domain's events, then what they say: those that say the same share a table. */
function eventsOf(domain: string, all: readonly Event[], operations: readonly Operation[]): string {
  const own = all.filter((each) => each.domain === domain)
  const lines = own.map(({ type, when }) => {
    const heardBy = operations
      .filter(({ subscribes }) => subscribes?.includes(type))
      .map((each) => `${each.domain}.${each.name}`)
    return `| \`${type}\` | ${when} | ${heardBy.join(', ') || 'nobody'} |`
  })
  const payloads = [...new Set(own.map(({ payload }) => payload))]
  return `### ${domain}

| event | when | who subscribes |
| --- | --- | --- |
${lines.join('\n')}

${payloads
  .map((payload) => {
    const types = own.filter((each) => each.payload === payload).map(({ type }) => `\`${type}\``)
    return `Payload of ${types.join(', ')}:\n\n${payloadTable(payload)}`
  })
  .join('\n')}`
}

function newsSection({ name, when, toUser, toLobby }: NewsSpec & { name: string }): string {
  const tables =
    toUser && toLobby
      ? [`To a user:\n\n${payloadTable(toUser)}`, `To a lobby:\n\n${payloadTable(toLobby)}`]
      : [payloadTable((toUser ?? toLobby) as z.ZodType)]
  return `### \`${name}\`\n\n${when}\n\n${tables.join('\n')}`
}

function payloadTable(schema: z.ZodType): string {
  const fields = rows(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema)
  if (fields.length === 0) return 'Nothing.\n'
  return `| field | type |\n| --- | --- |\n${fields.map(({ name, type }) => `| \`${name}\` | ${type} |`).join('\n')}\n`
}

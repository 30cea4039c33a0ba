import type { z } from 'zod'
import { ERRORS } from '../../platform/contract/errors.js'
import { GATEWAY_NEWS } from '../../platform/contract/news.js'
import type { Operation } from '../../platform/contract/contract.js'
import { readVersion } from '../../platform/lib/version.js'
import { loadNews } from '../../platform/runtime/tree.js'
import { jsonSchema, namedSchemas, type Names } from './schemas.js'

/**
 * docs/asyncapi.json: the gateway by AsyncAPI 3. A channel is the name of a socket.io event: of an operation, whose request
 * comes with an acknowledgement that is its answer, or of what sockets are told. Shapes that several share stand once, under
 * the name that contracts give them. (With one channel for all, the parser takes half a minute: it writes every channel out
 * wherever something refers to it.)
 */

type Json = Record<string, unknown>

/** What the gateway itself refuses with, whatever is asked. */
export const COMMON_ERRORS = [
  'rate_limited',
  'unauthenticated',
  'forbidden',
  'invalid_input',
  'deadline_exceeded',
  'unavailable',
  'internal',
] as const

export async function asyncapi(operations: readonly Operation[]): Promise<string> {
  const open = operations.filter(({ access }) => access !== 'internal')
  const names = await namedSchemas()
  const told = await toldMessages(names)
  return JSON.stringify({
    asyncapi: '3.0.0',
    info: {
      title: 'Holdfast',
      version: readVersion(),
      description:
        'Requests and news over socket.io, websocket transport only. A channel is the name of an event. A request is ' +
        '`socket.timeout(ms).emitWithAck(name, payload)`, its answer the acknowledgement.',
      license: { name: 'MIT' },
      tags: [...new Set(open.map(({ domain }) => domain))].map((name) => ({ name })),
    },
    defaultContentType: 'application/json',
    servers: {
      local: {
        host: '127.0.0.1:8080',
        pathname: '/socket.io/',
        protocol: 'socketio',
        description: 'The gateway. The handshake carries `auth: {token}`; without a token the caller is anonymous.',
      },
    },
    channels: {
      ...Object.fromEntries(open.map((each) => [each.name, { address: each.name, messages: messagesOf(each, names) }])),
      ...Object.fromEntries([...told].map(([name, messages]) => [keyOf(name), { address: name, messages }])),
    },
    operations: {
      ...Object.fromEntries(open.map((each) => [each.name, requestOf(each)])),
      ...Object.fromEntries([...told].map(([name, messages]) => [`tell.${keyOf(name)}`, toldBy(name, messages)])),
    },
    components: { schemas: { ...shapes(names), Refusal: refusal() } },
  })
}

const channel = (key: string): Json => ({ $ref: `#/channels/${key}` })
const messageOf = (key: string, message: string): Json => ({ $ref: `#/channels/${key}/messages/${message}` })
/** Keys have no colon. */
const keyOf = (name: string): string => name.replace(':', '.')

function requestOf({ name, domain, summary, access, idempotent, newId }: Operation): Json {
  return {
    action: 'receive',
    channel: channel(name),
    summary,
    tags: [{ name: domain }],
    messages: [messageOf(name, 'request')],
    reply: { channel: channel(name), messages: [messageOf(name, 'answer')] },
    'x-access': access,
    'x-idempotent': idempotent,
    ...(newId && { 'x-new-id': newId }),
  }
}

function messagesOf({ name, input, output, errors }: Operation, names: Names): Json {
  const codes = [...new Set([...errors, ...COMMON_ERRORS])]
  const ok = {
    type: 'object',
    required: ['ok', 'data'],
    properties: { ok: { const: true }, data: shapeOf(output, names) },
  }
  const refused = {
    allOf: [{ $ref: '#/components/schemas/Refusal' }],
    properties: { error: { type: 'object', properties: { code: { enum: codes } } } },
  }
  return {
    request: { name, payload: jsonSchema(input, 'input') },
    answer: { name: `${name}.answer`, payload: { oneOf: [ok, refused] } },
  }
}

/** By event, to whom. */
async function toldMessages(names: Names): Promise<Map<string, Json>> {
  const place = { seq: { type: 'integer' }, at: { type: 'string', format: 'date-time' } }
  const told = new Map<string, Json>()
  for (const { name, when, toUser, toLobby } of await loadNews()) {
    const message = (data: z.ZodType, more: Json): Json => {
      const properties = { ...place, ...more }
      const placed = { type: 'object', required: Object.keys(properties), properties }
      return { name, summary: when, payload: { allOf: [shapeOf(data, names), placed] } }
    }
    told.set(name, {
      ...(toUser && { toUser: message(toUser, {}) }),
      ...(toLobby && { toLobby: message(toLobby, { lobbyId: { type: 'string' } }) }),
    })
  }
  for (const [name, { when, data }] of Object.entries(GATEWAY_NEWS)) {
    told.set(name, { toSocket: { name, summary: when, payload: shapeOf(data, names) } })
  }
  return told
}

const toldBy = (name: string, messages: Json): Json => ({
  action: 'send',
  channel: channel(keyOf(name)),
  messages: Object.keys(messages).map((each) => messageOf(keyOf(name), each)),
})

function refusal(): Json {
  const codes = Object.entries(ERRORS).map(([code, { check }]) => `- \`${code}\`: ${check}`)
  const error = {
    type: 'object',
    required: ['code', 'message', 'retryable', 'requestId'],
    properties: {
      code: { type: 'string', enum: Object.keys(ERRORS), description: codes.join('\n') },
      message: { type: 'string' },
      details: { type: 'object' },
      retryable: { type: 'boolean', description: 'Whether the very same request, sent again later, may succeed.' },
      requestId: { type: 'string' },
    },
  }
  return { type: 'object', required: ['ok', 'error'], properties: { ok: { const: false }, error } }
}

const shapes = (names: Names): Json =>
  Object.fromEntries([...names].map(([schema, name]) => [name, JSON.parse(schema) as Json]))

const shapeOf = (schema: z.ZodType, names: Names): Json => withNames(jsonSchema(schema, 'output'), names) as Json

/** References in place of what is shared. */
function withNames(schema: unknown, names: Names): unknown {
  if (Array.isArray(schema)) return schema.map((each) => withNames(each, names))
  if (typeof schema !== 'object' || schema === null) return schema
  const name = names.get(JSON.stringify(schema))
  if (name) return { $ref: `#/components/schemas/${name}` }
  return Object.fromEntries(Object.entries(schema).map(([key, each]) => [key, withNames(each, names)]))
}

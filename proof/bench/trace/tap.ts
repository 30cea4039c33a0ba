import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

const LOOPBACK = '127.0.0.1'
const HEADER_BYTES = 16
const OP_MSG = 2013
/** In OP_MSG, after the header: four bytes of flags, one that says what follows, four of the document's length. */
const FIRST_ELEMENT = HEADER_BYTES + 4 + 1 + 4
const BSON_STRING = 2

/** One command, as it went over the wire. Times are `performance.now()`. */
export interface Statement {
  /** `update bookings` */
  what: string
  sentAtMs: number
  /** NaN: not answered yet. */
  answeredAtMs: number
}

export interface Tap {
  port: number
  /** All that went through, in order. */
  statements: Statement[]
  close(): Promise<void>
}

/** Passes on what goes to and from a MongoDB, and notes the commands on collections with their times. */
export async function startTap(targetPort: number): Promise<Tap> {
  const statements: Statement[] = []
  const sockets = new Set<Socket>()
  const listener = createServer({ noDelay: true }, (client) => {
    const server = connect({ host: LOOPBACK, port: targetPort, noDelay: true })
    const open = new Map<number, Statement>()
    pass(client, server, ({ requestId, what }, atMs) => {
      if (what === undefined) return
      const statement = { what, sentAtMs: atMs, answeredAtMs: NaN }
      open.set(requestId, statement)
      statements.push(statement)
    })
    pass(server, client, ({ responseTo }, atMs) => {
      const statement = open.get(responseTo)
      if (statement) statement.answeredAtMs = atMs
      open.delete(responseTo)
    })
  })

  function pass(from: Socket, to: Socket, note: (message: Message, atMs: number) => void): void {
    const split = messages()
    sockets.add(from)
    from.on('data', (chunk: Buffer) => {
      const atMs = performance.now()
      to.write(chunk)
      for (const message of split(chunk)) note(message, atMs)
    })
    from.on('error', () => {})
    from.on('close', () => {
      sockets.delete(from)
      to.destroy()
    })
  }

  listener.listen(0, LOOPBACK)
  await once(listener, 'listening')
  return {
    port: (listener.address() as AddressInfo).port,
    statements,
    async close() {
      listener.close()
      for (const socket of sockets) socket.destroy()
      await once(listener, 'close')
    },
  }
}

interface Message {
  requestId: number
  responseTo: number
  /** Its command and collection, where it is a command on one. */
  what?: string
}

/** Cuts what arrives into whole messages. */
function messages(): (chunk: Buffer) => Message[] {
  let rest: Buffer = Buffer.alloc(0)
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    const whole: Message[] = []
    while (rest.length >= HEADER_BYTES && rest.length >= rest.readInt32LE(0)) {
      const length = rest.readInt32LE(0)
      whole.push(parse(rest.subarray(0, length)))
      rest = rest.subarray(length)
    }
    return whole
  }
}

function parse(message: Buffer): Message {
  const ids = { requestId: message.readInt32LE(4), responseTo: message.readInt32LE(8) }
  if (message.readInt32LE(12) !== OP_MSG || message[FIRST_ELEMENT] !== BSON_STRING) return ids
  const end = message.indexOf(0, FIRST_ELEMENT + 1)
  const name = message.toString('utf8', FIRST_ELEMENT + 1, end)
  const length = message.readInt32LE(end + 1)
  return { ...ids, what: `${name} ${message.toString('utf8', end + 5, end + 4 + length)}` }
}

import { setMaxListeners } from 'node:events'
import test, { type ExecutionContext } from 'ava'
import type { Socket } from 'socket.io-client'
import { createPageReader } from '../../gateway/feedPages.js'
import { createLimits, type SocketLimits } from '../../gateway/limits.js'
import { createPace } from '../../gateway/pace.js'
import { createTurns } from '../../gateway/turns.js'
import type { Entry } from '../../functions/feeds/contract.js'
import { until } from '../../proof/support/until.js'
import { codeOf, open, send, startGateway } from './support.js'

function tcpOf(socket: Socket): { pause(): void; resume(): void } {
  const { transport } = socket.io.engine as unknown as { transport: { ws: { _socket: NodeJS.ReadableStream } } }
  const tcp = transport.ws._socket
  return { pause: () => void tcp.pause(), resume: () => void tcp.resume() }
}

async function anonymous(t: ExecutionContext, port: number): Promise<Socket> {
  const socket = open(port, { reconnection: false })
  t.teardown(() => socket.disconnect())
  await until(() => socket.connected)
  return socket
}

test('a socket that asks for much and reads nothing is cut off; others are served meanwhile', async (t) => {
  let answerAll = (): void => {}
  const allAreIn = new Promise<void>((resolve) => (answerAll = resolve))
  const { port, calls } = await startGateway(t, {
    // Not before all have come in: an answer costs so much that it keeps what comes after it out.
    answer: async () => {
      await allAreIn
      return { ok: true, data: 'x'.repeat(1_000_000) }
    },
  })
  const deaf = await anonymous(t, port)
  const { pause, resume } = tcpOf(deaf)
  pause()
  for (let i = 0; i < 20; i++) deaf.emit('getStatus', {}, () => {})
  await until(() => calls.length === 20)
  answerAll()
  const other = await anonymous(t, port)
  t.is(await codeOf(other, 'getStatus'), 'ok')
  resume()
  await until(() => deaf.disconnected)
  t.true(other.connected)
})

test('answers cost by their bytes: long ones use the rate up sooner', async (t) => {
  const { port } = await startGateway(t, { answer: () => ({ ok: true, data: 'x'.repeat(1_000_000) }) })
  const socket = await anonymous(t, port)
  const codes: string[] = []
  for (let i = 0; i < 6; i++) codes.push(await codeOf(socket, 'getStatus'))
  t.deepEqual([...new Set(codes)], ['ok', 'rate_limited'])
  const result = await send(socket, 'getStatus')
  t.true(!result.ok && Number(result.error.details?.['retryAfterMs']) > 10)
})

test('what was made for a client that has left costs its user all the same', async (t) => {
  let release = () => {}
  const released = new Promise<void>((resolve) => (release = resolve))
  const harness = await startGateway(t, {
    env: { RATE_LIMIT_PER_SECOND: '10' },
    async answer() {
      await released
      return { ok: true, data: 'x'.repeat(1_000_000) }
    },
  })
  const { token, userId } = await harness.userToken()
  const leaving = await harness.connect(token)
  leaving.emit('getUser', { userId }, () => {})
  leaving.emit('getStatus', {}, () => {})
  await until(() => harness.calls.length === 2)
  leaving.disconnect()
  const next = await harness.connect(token)
  const earlier = send(next, 'listCars', {})
  await until(() => harness.calls.length === 3)
  release()
  await earlier
  const result = await send(await harness.connect(token), 'getUser', { userId })
  // Three megabytes are 183 requests, the user's burst is 60 at 30 a second.
  t.true(!result.ok && Number(result.error.details?.['retryAfterMs']) > 3500, JSON.stringify(result))
})

test('nobody knows what a user’s first call of an operation costs: one is under way until it is answered', async (t) => {
  const waiting: (() => void)[] = []
  const harness = await startGateway(t, {
    async answer() {
      await new Promise<void>((resolve) => waiting.push(resolve))
      return { ok: true, data: {} }
    },
  })
  const { token, userId } = await harness.userToken()
  const [one, two] = [await harness.connect(token), await harness.connect(token)]
  const asked = [one, two, one, two].map((socket) => send(socket, 'getUser', { userId }))
  const other = send(one, 'getStatus', {})
  await until(() => waiting.length === 2)
  t.deepEqual(harness.calls.map(({ operation }) => operation).sort(), ['platform.getStatus', 'users.getUser'])
  waiting.forEach((answer) => answer())
  await until(() => waiting.length === 5)
  waiting.forEach((answer) => answer())
  t.deepEqual(
    (await Promise.all([...asked, other])).map(({ ok }) => ok),
    Array(5).fill(true),
  )
})

test('so much is under way at once; the rest waits in order, and leaves with its socket', async (t) => {
  const turns = createTurns(() => 10)
  const staying = new AbortController()
  const leaving = new AbortController()
  const order: string[] = []
  const enter = async (name: string, weight: number, { signal }: AbortController = staying) => {
    const end = await turns.enter(weight, signal)
    order.push(end ? name : `${name} gone`)
    return end
  }
  const [first] = await Promise.all([enter('a', 6), enter('b', 4)])
  const third = enter('c', 5)
  const fourth = enter('d', 1, leaving)
  const fifth = enter('e', 1)
  leaving.abort()
  await fourth
  first?.()
  await Promise.all([third, fifth])
  t.deepEqual(order, ['a', 'b', 'd gone', 'c', 'e'])
  t.is(await turns.enter(1, leaving.signal), undefined)
  t.truthy(await createTurns(() => 10).enter(50, staying.signal), 'what is heavier than all is let in alone')
})

test('a page that several want is read once, and kept while the feed goes on behind it', async (t) => {
  let reads = 0
  const entry = (seq: number): Entry => ({
    ...{ feed: 'user:1', seq, key: String(seq), name: 'a:b', data: {} },
    at: '2031-01-01T00:00:00.000Z',
  })
  const read = createPageReader((_feed, after) => {
    reads++
    return Promise.resolve([entry(after + 1), entry(after + 2)])
  })
  const pages = await Promise.all(Array.from({ length: 100 }, () => read('user:1', 0, 10)))
  t.is(reads, 1)
  t.is(new Set(pages).size, 1)
  await read('user:1', 0, 10)
  t.is(reads, 1)
  await read('user:1', 8, 10)
  await read('user:1', 8, 10)
  t.is(reads, 3, 'the last page may grow')
})

test('where many sockets of a user wait for its debt to be paid off, one at a time gets a page, and pays for it', async (t) => {
  let nowMs = 1000
  const ratePerSecond = 10
  const limits = createLimits(ratePerSecond, () => nowMs)
  const stop = new AbortController()
  setMaxListeners(0, stop.signal)
  t.teardown(() => stop.abort())
  const admit = (userId: string): SocketLimits => {
    const admitted = limits.admit('10.0.0.1')
    if (!admitted) throw new Error('not admitted')
    admitted.signedIn(userId)
    return admitted
  }
  /** A page costs more than fills the bucket of its user. */
  const PAGE_BYTES = (2 * 3 * ratePerSecond + 1) * 16_384
  const given: (() => void)[] = []
  const follow = async (userId: string): Promise<void> => {
    let sentBytes = 0
    const outgoing = { sentBytes: () => sentBytes, drained: () => Promise.resolve() }
    const end = await createPace(admit(userId), outgoing, stop.signal).turn()
    given.push(() => {
      sentBytes += PAGE_BYTES
      end()
    })
  }
  admit('one').charge(2 * 3 * ratePerSecond + 1)
  const waiting = Array.from({ length: 20 }, () => follow('one'))
  for (let pages = 1; pages <= 5; pages++) {
    nowMs += 10_000
    await until(() => given.length === pages)
    // Somebody else is served meanwhile: whoever was to be let in with this one would have been.
    const other = { sentBytes: () => 0, drained: () => Promise.resolve() }
    const end = await createPace(admit('two'), other, stop.signal).turn()
    end()
    t.is(given.length, pages)
    given.at(-1)?.()
  }
  stop.abort()
  await Promise.all(waiting)
})

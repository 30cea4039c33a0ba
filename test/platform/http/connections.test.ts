import test, { type ExecutionContext } from 'ava'
import { once } from 'node:events'
import { get } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { pino } from 'pino'
import { createGuardedServer } from '../../../platform/http/connections.js'
import { descriptorLimit } from '../../../platform/http/descriptors.js'
import { createRepeats } from '../../../platform/http/repeats.js'
import { until } from '../../../proof/support/until.js'

async function start(t: ExecutionContext, options: { rate?: number; limit?: number } = {}) {
  const logs: Record<string, unknown>[] = []
  const log = pino({ level: 'debug' }, { write: (line) => void logs.push(JSON.parse(line) as Record<string, unknown>) })
  const repeats = createRepeats(log)
  const { rate = 100, limit = 10_000 } = options
  const held: (() => void)[] = []
  const connections = createGuardedServer(
    (request, response) => {
      if (request.url === '/hold') held.push(() => response.end('held'))
      else response.end('answered')
    },
    { ratePerSecond: rate, repeats, limit: () => limit },
  )
  const { server } = connections
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const sockets: Socket[] = []
  t.teardown(() => {
    repeats.stop()
    for (const socket of sockets) socket.destroy()
    server.closeAllConnections()
    server.close()
  })
  const idle = async (count: number, localAddress = '127.0.0.1'): Promise<Socket[]> => {
    const opened = Array.from({ length: count }, () => connect({ port, host: '127.0.0.1', localAddress }))
    sockets.push(...opened)
    for (const socket of opened) socket.on('error', () => {})
    const before = connections.arrived()
    await until(() => connections.arrived() === before + count)
    return opened
  }
  const open = (): number => sockets.filter(({ destroyed }) => !destroyed).length
  return { ...connections, port, idle, open, held, logs, sockets }
}

const ask = (port: number, path = '/', localAddress = '127.0.0.1'): Promise<string> =>
  new Promise((resolve, reject) => {
    const request = get({ port, host: '127.0.0.1', path, localAddress, agent: false }, (response) => {
      response.setEncoding('utf8').on('data', resolve)
    })
    request.once('error', reject)
  })

test('idle connections have half of the descriptors; beyond, the oldest makes room, and new clients get in', async (t) => {
  const { port, idle, open, sockets, logs } = await start(t, { limit: 100 })
  await idle(80)
  await until(() => open() === 50)
  t.true(
    sockets.slice(0, 30).every(({ destroyed }) => destroyed),
    'the oldest',
  )
  t.is(await ask(port), 'answered')
  const refusals = logs.filter(({ kind }) => kind === 'too many connections')
  t.is(refusals.length, 1, 'one line, however many were cut')
  t.like(refusals[0], { peer: '127.0.0.1' })
})

test('an address has so many that wait; others are not in its way', async (t) => {
  const { port, idle, open } = await start(t, { rate: 4 })
  await idle(30, '127.0.0.2')
  await until(() => open() === 20)
  await idle(5, '127.0.0.3')
  t.is(open(), 25)
  t.is(await ask(port), 'answered')
})

test('an address makes so many connections a second', async (t) => {
  const { port, idle, open } = await start(t, { rate: 1, limit: 10_000 })
  await idle(30, '127.0.0.2')
  await until(() => open() <= 5)
  await t.throwsAsync(ask(port, '/', '127.0.0.2'), { code: 'ECONNRESET' })
  t.is(await ask(port), 'answered')
})

test('what is being answered, or is kept, makes no room: where nothing else is there, the new one is refused', async (t) => {
  const { port, idle, server, keep, held, open } = await start(t, { limit: 8 })
  server.once('connection', keep)
  await idle(1)
  const answers = [ask(port, '/hold'), ask(port, '/hold'), ask(port, '/hold')]
  await until(() => held.length === 3)
  await t.throwsAsync(ask(port), { code: 'ECONNRESET' })
  t.is(open(), 1, 'the kept one')
  for (const answer of held) answer()
  t.deepEqual(await Promise.all(answers), ['held', 'held', 'held'])
  t.is(await ask(port), 'answered')
})

test('whoever says nothing is closed soon', async (t) => {
  const { idle } = await start(t)
  const [socket] = await idle(1)
  socket?.resume()
  await until(() => socket?.destroyed, { timeoutMs: 15_000 })
  t.pass()
})

test('a rate of 0 leaves the descriptors as the only limit', async (t) => {
  const { idle, open } = await start(t, { rate: 0 })
  await idle(300)
  t.is(open(), 300)
})

test('the limit of descriptors is that of this process now', (t) => {
  t.true(descriptorLimit() >= 256)
})

import test, { type ExecutionContext } from 'ava'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { watchDoor } from '../../gateway/watchdog.js'
import { until } from '../../proof/support/until.js'
import { codeOf, open } from './support.js'

async function door(t: ExecutionContext, arrived: (connections: number) => number) {
  let connections = 0
  const server = createServer((_request, response) => response.end()).listen(0, '127.0.0.1')
  server.on('connection', () => connections++)
  await once(server, 'listening')
  const seen = { closed: false, connections: () => connections }
  const { port } = server.address() as AddressInfo
  const watch = watchDoor({
    host: '127.0.0.1',
    port,
    arrived: () => arrived(connections),
    closed: () => (seen.closed = true),
    everyMs: 5,
  })
  t.teardown(() => {
    watch.stop()
    server.closeAllConnections()
    server.close()
  })
  return seen
}

test('a worker that its own knocks do not reach is closed', async (t) => {
  const seen = await door(t, () => 7)
  await until(() => seen.closed)
  t.is(seen.connections(), 5)
})

test('one that they reach, in its turn, is not', async (t) => {
  const seen = await door(t, (connections) => Math.floor(connections / 2))
  await until(() => seen.connections() >= 20)
  t.false(seen.closed)
})

/** The cheap form of an attack by idle connections: few descriptors instead of many connections. */
test('a worker of a cluster that may have 120 descriptors outlives 150 idle connections', async (t) => {
  const program = fileURLToPath(new URL('fewDescriptors.ts', import.meta.url))
  const command = `ulimit -n 120 && exec ${process.execPath} --import=tsx ${program}`
  const child = spawn('bash', ['-c', command], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  t.teardown(async () => {
    child.kill('SIGTERM')
    await exited
  })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const port = Number(line.toString())
  const idle: Socket[] = []
  t.teardown(() => idle.forEach((socket) => socket.destroy()))
  for (let i = 0; i < 150; i++) {
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    idle.push(socket)
    await Promise.race([once(socket, 'connect'), once(socket, 'close')])
  }
  const client = open(port)
  t.teardown(() => client.disconnect())
  // The primary, which accepts for its workers, has 120 as well: a connection in the middle of the burst may be reset.
  await until(() => client.connected)
  t.is(await codeOf(client, 'getStatus'), 'ok', 'while they are there')
  for (const socket of idle) socket.destroy()
  const another = open(port)
  t.teardown(() => another.disconnect())
  await until(() => another.connected)
  t.is(await codeOf(another, 'getStatus'), 'ok', 'and when they are gone')
})

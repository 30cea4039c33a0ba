import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { createGateway, type Gateway } from '../../gateway/server.js'
import { createLogger } from '../../platform/log.js'
import type { Envelope } from '../../platform/transport.js'
import { until } from '../support/until.js'
import { connected, contracts, newId, open, send, startGateway, testConfig } from './support.js'

/** Two workers behind one address, as PM2's cluster mode has them: new connections go to `current`. */
async function startPair(t: ExecutionContext, answer: (envelope: Envelope) => Promise<unknown>) {
  const config = testConfig({ RATE_LIMIT_PER_SECOND: '0' })
  const make = (): Gateway =>
    createGateway({
      config,
      log: createLogger('gateway', 'silent'),
      contracts,
      request: async (envelope) => ({ ok: true, data: await answer(envelope) }),
      now: () => new Date(),
      newId,
    })
  const workers = [make(), make()] as const
  const ports = await Promise.all(workers.map((worker) => worker.listen()))
  let current = ports[0] as number
  const balancer = createServer((inward) => {
    const outward = connect(current, '127.0.0.1')
    inward.setNoDelay()
    outward.setNoDelay()
    inward.pipe(outward).pipe(inward)
    inward.on('error', () => outward.destroy())
    outward.on('error', () => inward.destroy())
  })
  await new Promise<void>((resolve) => balancer.listen(0, '127.0.0.1', resolve))
  t.teardown(async () => {
    await Promise.all(workers.map((worker) => worker.drain()))
    balancer.close()
  })
  return {
    port: (balancer.address() as { port: number }).port,
    /** As a reload does: the second is up before the first drains. */
    async reload() {
      current = ports[1] as number
      await workers[0].drain()
    },
  }
}

/** Sends one request after the other until told to stop. Answers how many were answered; throws when one was not. */
async function loop(port: number, running: () => boolean, thinkMs: () => number, width = 1): Promise<number> {
  const socket = open(port)
  await connected(socket)
  let answered = 0
  const lane = async (): Promise<void> => {
    while (running()) {
      const result = await send(socket, 'getStatus', {})
      if (!result.ok) throw new Error(result.error.code)
      answered++
      const pause = thinkMs()
      if (pause > 0) await sleep(pause)
    }
  }
  try {
    await Promise.all(Array.from({ length: width }, lane))
  } finally {
    socket.disconnect()
  }
  return answered
}

const loads = [
  ['50 clients in closed loops', { clients: 50, thinkMs: () => 0, width: 1 }],
  ['50 clients that pause between requests', { clients: 50, thinkMs: () => Math.random() * 40, width: 1 }],
  ['10 clients with 8 requests at once each', { clients: 10, thinkMs: () => 0, width: 8 }],
] as const

for (const [name, { clients, thinkMs, width }] of loads) {
  test.serial(`a reload loses no request of ${name}`, async (t) => {
    const pair = await startPair(t, async () => {
      await sleep(5 + Math.random() * 20)
      return {}
    })
    let running = true
    let answered = 0
    const all = Array.from({ length: clients }, () =>
      loop(
        pair.port,
        () => running,
        () => {
          answered++
          return thinkMs()
        },
        width,
      ),
    )
    await until(() => answered > clients * 5)
    await pair.reload()
    const atReload = answered
    await until(() => answered > atReload + clients * 5)
    running = false
    t.is((await Promise.all(all)).length, clients)
  })
}

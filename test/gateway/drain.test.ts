import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { createGateway, type Gateway } from '../../gateway/server.js'
import { createLogger } from '../../platform/lib/log.js'
import type { Envelope } from '../../platform/runtime/transport.js'
import { until } from '../../proof/support/until.js'
import { connected, contracts, newId, noNews, open, send, startGateway, testConfig } from './support.js'

/** Two workers behind one address, as PM2's cluster mode has them: new connections go to `current`. */
async function startPair(t: ExecutionContext, answer: (envelope: Envelope) => Promise<unknown>) {
  const config = testConfig({ RATE_LIMIT_PER_SECOND: '0' })
  const make = (): Gateway =>
    createGateway({
      config,
      log: createLogger('gateway', 'silent'),
      contracts,
      request: async (envelope) => ({ ok: true, data: await answer(envelope) }),
      watchFeeds: noNews,
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

test.serial('what is in flight is answered, an idle client moves on, /status says so', async (t) => {
  let finish = (): void => {}
  const { gateway, port, connect, calls } = await startGateway(t, {
    answer: () => new Promise((resolve) => (finish = () => resolve({ ok: true, data: 'done' }))),
  })
  const busy = await connect(undefined, { reconnection: false })
  const idle = await connect(undefined, { reconnection: false })
  const reasons: string[] = []
  idle.on('disconnect', (reason) => reasons.push(reason))
  const status = await fetch(`http://127.0.0.1:${port}/status`)
  t.is(status.status, 200)
  t.is(((await status.json()) as { status: string }).status, 'OK')
  t.is((await fetch(`http://127.0.0.1:${port}/`)).status, 404)

  const answer = send(busy, 'getStatus')
  await until(() => calls.length === 1)
  const drained = gateway.drain()
  await t.throwsAsync(connected(open(port, { reconnection: false })))
  await until(() => idle.disconnected)
  t.true(busy.connected)
  finish()
  t.deepEqual(await answer, { ok: true, data: 'done' })
  await drained
  // Not 'io server disconnect', after which socket.io's client does not reconnect.
  t.deepEqual(reasons, ['ping timeout'])
})

test.serial('when the drain time is up, whoever still waits is told', async (t) => {
  const { gateway, connect, calls } = await startGateway(t, {
    answer: () => new Promise(() => {}),
    overrides: { config: { ...testConfig(), drainMs: 2000 } },
  })
  const socket = await connect(undefined, { reconnection: false })
  const answer = send(socket, 'getStatus')
  await until(() => calls.length === 1)
  await gateway.drain()
  const result = await answer
  t.false(result.ok)
  if (!result.ok) t.like(result.error, { code: 'unavailable', retryable: true })
})

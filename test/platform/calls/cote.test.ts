import concurrently from 'ava'
import dgram from 'node:dgram'
import net from 'node:net'
import { advertisements, createCaller, createNet, forkProgram, forkResponder, type Answer } from '../../support/cote.js'
import { CallerComponent, startDiscovery } from '../../../platform/calls/components.js'
import { openSession } from '../../../platform/calls/session.js'
import type { Result } from '../../../platform/contract/errors.js'
import { until } from '../../../proof/support/until.js'

// Each starts processes; all at once would keep a small machine busy beyond every patience.
const test = concurrently.serial

const data = (result: Result<Answer>): Answer => {
  if (!result.ok) throw new Error(result.error.message)
  return result.data
}
const KEYS = Array.from({ length: 10 }, (_, i) => `key ${i}`)
const code = (result: Result<unknown>) => (result.ok ? 'ok' : result.error.code)

test('a call goes to an app that hosts its operation, in turn over that app’s instances', async (t) => {
  const net = await createNet(t)
  const caller = await createCaller(t, net)
  const [one, two, placed] = await Promise.all([
    forkResponder(t, net, 'test', 'test.echo'),
    forkResponder(t, net, 'test', 'test.echo'),
    forkResponder(t, net, 'alone', 'test.alone'),
  ])
  await until(() => caller.peers().length === 3)

  const pids = []
  for (let i = 0; i < 10; i++) pids.push(data(await caller.ask('test.echo')).pid)
  for (const { pid } of [one, two]) t.is(pids.filter((each) => each === pid).length, 5)
  t.is(data(await caller.ask('test.alone')).pid, placed.pid)
  t.deepEqual((await caller.health()).map(({ app, databases }) => [app, databases]).sort(), [
    ['alone', { test: true }],
    ['test', { test: true }],
    ['test', { test: true }],
  ])
})

test('a call waits for a responder, with what is left of its time', async (t) => {
  const net = await createNet(t)
  const caller = await createCaller(t, net)
  const call = caller.ask('test.echo', { a: 1 }, { ttlMs: 60_000 })
  await forkResponder(t, net, 'test', 'test.echo')
  const answer = data(await call)
  t.deepEqual(answer.input, { a: 1 })
  t.true(answer.ttlMs < 60_000)
})

test('a call that finds no responder in time is unavailable: its outcome is known, it was never sent', async (t) => {
  const caller = await createCaller(t, await createNet(t))
  t.is(code(await caller.ask('test.echo', null, { ttlMs: 50 })), 'unavailable')
})

test('a call without an answer in time ends with deadline_exceeded; a late answer is ignored', async (t) => {
  const net = await createNet(t)
  const caller = await createCaller(t, net)
  const responder = await forkResponder(t, net, 'test', 'test.echo,test.hold')
  await until(() => caller.peers().length === 1)
  const held = caller.ask('test.hold', 'late', { ttlMs: 300 })
  t.is(code(await held), 'deadline_exceeded')
  await until(() => responder.began.length === 1)
  responder.child.send('release')
  t.is(data(await caller.ask('test.hold', 'next')).input, 'next')
})

test('what a call waited for a busy responder is taken from its time, and its caller may leave meanwhile', async (t) => {
  const net = await createNet(t)
  const caller = await createCaller(t, net)
  const responder = await forkResponder(t, net, 'test', 'test.echo,test.hold')
  data(await caller.ask('test.echo'))
  process.kill(responder.pid, 'SIGSTOP')
  const frozenAt = performance.now()
  const leaving = new AbortController()
  const delayed = caller.ask('test.echo', 'delayed')
  const left = caller.ask('test.hold', 'left', { signal: leaving.signal })
  leaving.abort()
  await until(() => performance.now() - frozenAt > 500)
  process.kill(responder.pid, 'SIGCONT')
  const { ttlMs } = data(await delayed)
  t.true(ttlMs <= 9500, `${ttlMs} ms`)
  await until(() => responder.began.length === 1)
  responder.child.send('release')
  t.false(data(await left).wanted)
  t.true(data(await caller.ask('test.echo')).wanted)
  const nowhere = caller.ask('test.nowhere', null, { signal: leaving.signal })
  t.is(code(await nowhere), 'deadline_exceeded')
})

test('what JSON can not carry, or is too long, fails alone', async (t) => {
  const net = await createNet(t)
  const caller = await createCaller(t, net)
  await forkResponder(t, net, 'test', 'test.echo')
  await until(() => caller.peers().length === 1)
  const beside = caller.ask('test.echo', 'x'.repeat(4_000_000))
  t.is(code(await caller.ask('test.echo', 1n)), 'internal')
  t.is(code(await caller.ask('test.echo', 'x'.repeat(9_000_000))), 'internal')
  t.is((data(await beside).input as string).length, 4_000_000)
})

test('waiting calls are bounded', async (t) => {
  const caller = await createCaller(t, await createNet(t))
  const waiting = Array.from({ length: 10_000 }, () => caller.ask('test.echo', null, { ttlMs: 60_000 }))
  t.is(code(await caller.ask('test.echo', null, { ttlMs: 60_000 })), 'unavailable')
  await caller.close()
  t.true((await Promise.all(waiting)).every((result) => code(result) === 'unavailable'))
})

test('a responder that dies fails its calls at once; what is idempotent goes to another', async (t) => {
  const net = await createNet(t)
  const caller = await createCaller(t, net)
  const first = await forkResponder(t, net, 'test', 'test.hold')
  const once = caller.ask('test.hold', 'once')
  const again = caller.ask('test.hold', 'again', { idempotent: true, ttlMs: 30_000 })
  await until(() => first.began.length === 2)
  const killedAt = performance.now()
  first.child.kill('SIGKILL')
  t.is(code(await once), 'unavailable')
  t.log(`reported ${(performance.now() - killedAt).toFixed(1)} ms after the kill`)
  t.deepEqual(caller.peers(), [])

  const second = await forkResponder(t, net, 'test', 'test.hold')
  second.child.send('release')
  t.is(data(await again).pid, second.pid)
  await until(() => second.began.length > 0)
  t.deepEqual(second.began, ['again'])
})

test('after a reset of its connections a living responder is called again', async (t) => {
  const net = await createNet(t)
  const caller = await createCaller(t, net)
  const responder = await forkResponder(t, net, 'test', 'test.echo,test.hold')
  const held = caller.ask('test.hold')
  await until(() => responder.began.length === 1)
  const resetAt = performance.now()
  responder.child.send('reset')
  t.is(code(await held), 'unavailable')
  t.is(data(await caller.ask('test.echo')).pid, responder.pid)
  t.log(`called again ${(performance.now() - resetAt).toFixed(1)} ms after the reset`)
})

test('a responder that freezes gets no new calls once it is silent', async (t) => {
  const net = await createNet(t)
  const caller = await createCaller(t, net)
  const [frozen, alive] = await Promise.all([
    forkResponder(t, net, 'test', 'test.echo'),
    forkResponder(t, net, 'test', 'test.echo'),
  ])
  await until(() => caller.peers().length === 2)
  frozen.child.kill('SIGSTOP')
  await until(() => caller.peers().length === 1, { timeoutMs: 20_000 })
  for (let i = 0; i < 4; i++) t.is(data(await caller.ask('test.echo')).pid, alive.pid)
  frozen.child.kill('SIGCONT')
  await until(() => caller.peers().length === 2)
})

test('calls with a key meet in one process, whoever calls; when it dies they meet in another at once', async (t) => {
  const net = await createNet(t)
  const callers = await Promise.all([createCaller(t, net), createCaller(t, net)])
  const [caller] = callers
  const responders = await Promise.all(
    Array.from({ length: 3 }, () => forkResponder(t, net, 'test', 'test.echo,test.hold')),
  )
  const meetingPlaces = async (): Promise<Set<number>> => {
    const asked = callers.flatMap((each) => KEYS.map((key) => each.ask('test.echo', null, { key })))
    return new Set((await Promise.all(asked)).map((result) => data(result).pid))
  }
  await until(() => callers.every((each) => each.peers().length === 3))
  const places = await meetingPlaces()
  t.is(places.size, 1)

  const first = responders.find(({ pid }) => places.has(pid)) ?? t.fail()
  const once = caller.ask('test.hold', 'once', { key: 'held' })
  const again = caller.ask('test.hold', 'again', { key: 'held', idempotent: true })
  await until(() => first.began.length === 2)
  first.child.kill('SIGKILL')
  t.is(code(await once), 'unavailable')
  await until(() => callers.every((each) => each.peers().length === 2))
  const next = await meetingPlaces()
  t.is(next.size, 1)
  t.false(next.has(first.pid))
  for (const { child } of responders) if (child.connected) child.send('release')
  t.deepEqual(new Set([data(await again).pid]), next)
})

test('a process that freezes loses its keys before it counts as silent, and has them again when it goes on', async (t) => {
  const net = await createNet(t)
  const caller = await createCaller(t, net)
  const responders = await Promise.all([
    forkResponder(t, net, 'test', 'test.echo'),
    forkResponder(t, net, 'test', 'test.echo'),
  ])
  await until(() => caller.peers().length === 2)
  const ask = async (): Promise<number | undefined> => {
    const result = await caller.ask('test.echo', null, { key: 'key', ttlMs: 200 })
    return result.ok ? result.data.pid : undefined
  }
  const frozen = (await ask()) ?? t.fail()
  const other = responders.find(({ pid }) => pid !== frozen)?.pid
  const frozenAt = performance.now()
  process.kill(frozen, 'SIGSTOP')
  await until(async () => (await ask()) === other)
  t.log(`moved ${(performance.now() - frozenAt).toFixed(0)} ms after the freeze`)
  process.kill(frozen, 'SIGCONT')
  await until(async () => (await ask()) === frozen)
  t.pass()
})

test('whoever hears is told by every host from then on, and that it is connected to one more', async (t) => {
  const net = await createNet(t)
  const [hearer, host, other] = [await createCaller(t, net), await createCaller(t, net), await createCaller(t, net)]
  const serving = (app: string) => ({
    app,
    operations: [`${app}.echo`],
    handle: () => Promise.resolve({ ok: true as const, data: null }),
    health: () => Promise.resolve({ app, operations: [], databases: {}, checks: {} }),
  })
  const told: unknown[] = []
  let connected = 0
  await host.serve(serving('early'))
  await until(() => hearer.peers().length === 1)
  host.tell('too early')
  hearer.hear({ told: (hint) => void told.push(hint), connected: () => void connected++ })
  t.is(connected, 1)
  await other.serve(serving('late'))
  await until(() => connected === 2)
  // Whoever answers a call has read what was sent before it.
  for (const app of ['early', 'late']) await hearer.ask(`${app}.echo`)
  host.tell({ by: 'early' })
  other.tell({ by: 'late' })
  await until(() => told.length === 2)
  t.deepEqual(told.map((hint) => (hint as { by: string }).by).sort(), ['early', 'late'])
})

test('hosts at two addresses find each other', async (t) => {
  const net = await createNet(t)
  const caller = await createCaller(t, net)
  await forkResponder(t, net, 'near', 'test.near', { FUNCTIONS_HOST: '127.0.0.1' })
  await forkResponder(t, net, 'far', 'test.far', { FUNCTIONS_HOST: '127.0.0.2' })
  t.is(data(await caller.ask('test.near')).app, 'near')
  t.is(data(await caller.ask('test.far')).app, 'far')

  const heard = await advertisements(t, net)
  await until(() => heard.size === 2)
  const { host, port } = heard.get('far') ?? t.fail()
  t.is(host, '127.0.0.2')
  t.is(await refusal(port, '127.0.0.1'), 'ECONNREFUSED')
})

test('hosts find each other by multicast', async (t) => {
  const net = await createNet(t, { DISCOVERY: 'multicast', DISCOVERY_ADDRESS: '239.255.20.31' })
  const caller = await createCaller(t, net)
  await forkResponder(t, net, 'test', 'test.echo')
  t.is(data(await caller.ask('test.echo')).app, 'test')
})

test('what is no multicast address is refused', async (t) => {
  const { config } = await createNet(t, { DISCOVERY: 'multicast', DISCOVERY_ADDRESS: '127.255.255.255' })
  const component = new CallerComponent(config)
  await t.throwsAsync(
    startDiscovery(component, config, () => {}),
    { message: /DISCOVERY_ADDRESS/ },
  )
})

test('every worker of a cluster hears every hello', async (t) => {
  const net = await createNet(t)
  const heard = new Map<number, number>()
  const everyWorker = (times: number) => heard.size === 3 && [...heard.values()].every((each) => each === times)
  forkProgram(t, net, 'clusterListeners.ts', []).on('message', ({ worker }: { worker: number }) => {
    heard.set(worker, (heard.get(worker) ?? 0) + 1)
  })
  await until(() => everyWorker(1), { timeoutMs: 60_000 })
  const component = new CallerComponent(net.config)
  t.teardown(() => component.close())
  const discovery = await startDiscovery(component, net.config, () => {})
  for (let i = 0; i < 10; i++) discovery.hello()
  await until(() => everyWorker(11))
  t.pass()
})

test('systems with other secrets on one discovery port stay apart', async (t) => {
  const ours = await createNet(t)
  const theirs = await createNet(t, { DISCOVERY_PORT: String(ours.config.discovery.port) })
  const caller = await createCaller(t, ours)
  await forkResponder(t, theirs, 'test', 'test.echo')
  const responder = await forkResponder(t, ours, 'test', 'test.echo')
  for (let i = 0; i < 4; i++) t.is(data(await caller.ask('test.echo')).pid, responder.pid)
  t.is(caller.peers().length, 1)
})

test('a stopping responder answers all that it is sent: no call is lost while instances are replaced', async (t) => {
  const net = await createNet(t)
  const caller = await createCaller(t, net)
  const instances = await Promise.all([
    forkResponder(t, net, 'test', 'test.echo'),
    forkResponder(t, net, 'test', 'test.echo'),
  ])
  let stop = false
  let answered = 0
  const failures: Result<unknown>[] = []
  const load = Array.from({ length: 32 }, async () => {
    while (!stop) {
      const result = await caller.ask('test.echo')
      if (result.ok) answered++
      else failures.push(result)
    }
  })
  for (const old of instances) {
    old.child.kill('SIGTERM')
    t.is(await old.exited, 0)
    await forkResponder(t, net, 'test', 'test.echo')
    await until(() => caller.peers().length === 2)
  }
  stop = true
  await Promise.all(load)
  t.log(`${answered} calls answered`)
  t.true(answered > 100)
  t.deepEqual(failures, [])
})

test('a stopping responder ends what it has begun', async (t) => {
  const net = await createNet(t)
  const caller = await createCaller(t, net)
  const old = await forkResponder(t, net, 'test', 'test.hold')
  const held = caller.ask('test.hold', 'begun')
  await until(() => old.began.length === 1)
  old.child.kill('SIGTERM')
  await until(() => caller.peers().length === 0)
  old.child.send('release')
  t.is(data(await held).input, 'begun')
  t.is(await old.exited, 0)
})

/** Up to where a frame of ours says how long it is; signed with zeros. */
const HEAD = Buffer.from([0x13, 0, 0, 0, 10, ...Buffer.from('s:holdfast'), 0, 0, 0, 32, ...Buffer.alloc(32)])

const GARBAGE: [what: string, bytes: Buffer | string, kind: string][] = [
  ['text', 'GET / HTTP/1.1\r\n\r\n', 'not a frame of ours'],
  ['an empty axon message', Buffer.from([0x10]), 'not a frame of ours'],
  ['type *', Buffer.from([0x11, 0, 0, 0, 14, ...Buffer.from('j:{"type":"*"}')]), 'not a frame of ours'],
  ['null', Buffer.from([0x11, 0, 0, 0, 6, ...Buffer.from('j:null')]), 'not a frame of ours'],
  ['broken JSON', Buffer.from([0x11, 0, 0, 0, 3, ...Buffer.from('j:{')]), 'not a frame of ours'],
  ['a huge argument', Buffer.from([0x12, 0xff, 0xff, 0xff, 0xff, 1, 2, 3]), 'not a frame of ours'],
  ['a huge body', Buffer.concat([HEAD, Buffer.from([0xff, 0xff, 0xff, 0xff])]), 'frame too long'],
  ['a forged frame', Buffer.concat([HEAD, Buffer.from([0, 0, 0, 2]), Buffer.from('{}')]), 'forged message'],
]

test('garbage on the port is dropped, and each kind is logged once', async (t) => {
  const network = await createNet(t)
  const caller = await createCaller(t, network)
  const responder = await forkResponder(t, network, 'test', 'test.echo')
  const heard = await advertisements(t, network)
  const { port, host } = await until(() => heard.get('test'))
  for (const [what, bytes] of GARBAGE) {
    for (let i = 0; i < 5; i++) await throwAt(port, host, bytes)
    t.is(data(await caller.ask('test.echo')).pid, responder.pid, what)
  }
  const kinds = [...new Set(GARBAGE.map(([, , kind]) => kind))]
  await until(() => responder.logs.length >= kinds.length)
  t.deepEqual(
    responder.logs.map(({ kind, peer }) => [kind, peer]),
    kinds.map((kind) => [kind, '127.0.0.1']),
  )
})

test('what was recorded from a connection can not be replayed on another', async (t) => {
  const network = await createNet(t)
  const caller = await createCaller(t, network)
  const responder = await forkResponder(t, network, 'test', 'test.hold,test.echo')
  const heard = await advertisements(t, network)
  const { port, host } = await until(() => heard.get('test'))

  const recorded: Buffer[] = []
  const socket = net.connect(port, host)
  const write = socket.write.bind(socket)
  socket.write = (bytes: Buffer) => {
    recorded.push(bytes)
    return write(bytes)
  }
  const envelope = { operation: 'test.hold', input: 'original', caller: null, requestId: 'r', ttlMs: 10_000 }
  openSession({
    socket,
    side: 'caller',
    secret: network.config.clusterSecret,
    onReady: (session) => session.send({ call: 1, envelope }),
    onMessage: () => {},
    onViolation: (kind) => t.fail(kind),
  })
  await until(() => responder.began.length === 1)
  socket.destroy()

  for (let i = 0; i < 5; i++) await throwAt(port, host, Buffer.concat(recorded))
  t.is(data(await caller.ask('test.echo')).pid, responder.pid)
  t.deepEqual(responder.began, ['original'])
  await until(() => responder.logs.length > 0)
  t.deepEqual(
    responder.logs.map(({ kind }) => kind),
    ['replayed message'],
  )
})

test('who does not read gets refusals in place of long answers, is not cut off, and delays nobody else', async (t) => {
  const network = await createNet(t)
  const caller = await createCaller(t, network)
  const responder = await forkResponder(t, network, 'test', 'test.hold,test.echo')
  const heard = await advertisements(t, network)
  const { port, host } = await until(() => heard.get('test'))
  const socket = net.connect(port, host)
  t.teardown(() => socket.destroy())
  const answers = new Map<number, string>()
  const session = openSession({
    socket,
    side: 'caller',
    secret: network.config.clusterSecret,
    onReady: () => {},
    onMessage: (message) => {
      const { reply, result } = message as { reply: number; result: Result<Answer> }
      answers.set(reply, code(result))
    },
    onViolation: (kind) => t.fail(kind),
  })
  await until(() => session.ready)
  socket.pause()
  const ask = (call: number, operation: string) => {
    const envelope = { operation, input: { chars: 1_000_000 }, caller: null, requestId: 'r', ttlMs: 60_000 }
    session.send({ call, envelope, sentAtMs: performance.now() })
  }
  const underWay = Array.from({ length: 100 }, (_, call) => call)
  const late = underWay.map((call) => 1000 + call)
  for (const call of underWay) ask(call, 'test.hold')
  await until(() => responder.began.length === 100)
  responder.child.send('release')
  // One answer of its own says that the responder has made all of the others, as they were asked for before.
  t.is(data(await caller.ask('test.echo')).pid, responder.pid)
  for (const call of late) ask(call, 'test.echo')
  t.is(data(await caller.ask('test.echo')).pid, responder.pid)

  socket.resume()
  await until(() => answers.size === 200)
  const codesOf = (calls: number[]) => [...new Set(calls.map((call) => answers.get(call)))].sort()
  t.deepEqual(codesOf(underWay), ['deadline_exceeded', 'ok'])
  t.deepEqual(codesOf(late), ['rate_limited'])
  ask(2000, 'test.echo')
  await until(() => answers.get(2000) === 'ok')
})

test('a responder that does not read gets no more calls than it can leave unread', async (t) => {
  const network = await createNet(t)
  const caller = await createCaller(t, network)
  const frozen = await forkResponder(t, network, 'test', 'test.echo')
  await until(() => caller.peers().length === 1)
  frozen.child.kill('SIGSTOP')
  const calls = Array.from({ length: 40 }, () => caller.ask('test.echo', 'x'.repeat(1_000_000), { ttlMs: 60_000 }))
  const refused = await Promise.race(calls)
  t.is(code(refused), 'unavailable')
  frozen.child.kill('SIGCONT')
  const codes = (await Promise.all(calls)).map(code)
  t.deepEqual([...new Set(codes)].sort(), ['ok', 'unavailable'])
  t.is(code(await caller.ask('test.echo')), 'ok')
})

test('garbage on the discovery port is dropped, and logged once', async (t) => {
  const network = await createNet(t)
  const caller = await createCaller(t, network)
  const responder = await forkResponder(t, network, 'test', 'test.echo')
  await caller.ask('test.echo')
  const { port, address } = network.config.discovery
  const socket = dgram.createSocket('udp4').bind(0, '127.0.0.1')
  await new Promise((resolve) => socket.once('listening', resolve))
  socket.setBroadcast(true)
  t.teardown(() => socket.close())
  const hello = {
    event: 'hello',
    pid: 'p',
    iid: 'i',
    hostName: 'h',
    data: { advertisement: { key: 'holdfast', axon_type: 'rep', app: 'evil', operations: ['test.echo'], port: 1 } },
  }
  const datagrams = [
    'null',
    '{',
    '',
    JSON.stringify(hello),
    JSON.stringify({ ...hello, iid: '__proto__', data: { polluted: true } }),
  ]
  for (const datagram of [...datagrams, ...datagrams]) {
    await new Promise((resolve) => socket.send(datagram, port, address, resolve))
  }
  await until(() => responder.logs.length > 0 && caller.logs.length > 0)
  t.is(data(await caller.ask('test.echo')).pid, responder.pid)
  t.deepEqual(caller.peers(), [{ app: 'test', operations: ['test.echo'] }])
  for (const logs of [responder.logs, caller.logs]) {
    t.deepEqual(
      logs.map(({ kind }) => kind),
      ['forged datagram'],
    )
  }
  t.false('polluted' in {})
})

/** Sends bytes, resolves when the other side has hung up. */
function throwAt(port: number, host: string, bytes: Buffer | string): Promise<void> {
  return new Promise((resolve) => {
    const socket = net.connect(port, host, () => socket.write(bytes))
    socket.resume()
    socket.on('error', () => {})
    socket.once('close', () => resolve())
  })
}

function refusal(port: number, host: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = net.connect(port, host, () => {
      socket.destroy()
      resolve(undefined)
    })
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code))
  })
}

import test from 'ava'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import { bookings } from '../../../functions/bookings/contract.js'
import { users } from '../../../functions/users/contract.js'
import type { CallInput, Operation } from '../../../platform/contract/contract.js'
import { createCoteTransport } from '../../../platform/calls/cote.js'
import { migrateUp } from '../../../platform/migrations/migrations.js'
import { createSystem } from '../../../platform/runtime/system.js'
import { loadContracts } from '../../../platform/runtime/tree.js'
import { until } from '../../../proof/support/until.js'
import { collectJsonLines, createNet, forkProgram } from '../../support/cote.js'
import { sharedMongod } from '../../support/mongod.js'
import { admin } from '../../support/system.js'

const HOST = fileURLToPath(new URL('../../../platform/app/host.ts', import.meta.url))
const HOUR_MS = 3_600_000

test('calls of one booking stay in two processes, whatever the instances; those of a killed one go to another', async (t) => {
  const net = await createNet(t, { MONGODB_URI: (await sharedMongod()).uri(), LOG_LEVEL: 'debug' })
  await migrateUp(net.config, { domains: ['users', 'bookings'] })
  const contracts = [...(await loadContracts()).values()]
  const hosts = ['bookings', 'bookings', 'users', 'users'].map((domain) => {
    const names = contracts.filter((each) => each.domain === domain).map(({ name }) => name)
    const child = forkProgram(t, net, HOST, ['--app', domain, '--operations', names.join(',')])
    const calls = () => logs.filter(({ msg }) => msg === 'call') as { operation: string; time: string }[]
    const logs = collectJsonLines(child)
    return { domain, child, calls }
  })
  const log = pino({ level: 'silent' })
  const transport = await createCoteTransport({ config: net.config, log })
  const system = createSystem({ config: net.config, log, functions: [], transport })
  t.teardown(() => system.close())
  await until(() => system.peers().length === hosts.length, { timeoutMs: 60_000 })
  const call = <Op extends Operation>(operation: Op, input: CallInput<Op>) =>
    system.call(operation, input, { caller: admin, requestId: system.newId() })

  const { id: userId } = await call(users.createUser, { name: 'Ada', email: 'ada@example.com', role: 'user' })
  await call(users.depositFunds, { userId, amount: 1_000_000 })
  /** Answers the hosts that were called on its way. */
  const book = async () => {
    const { id: carId } = await call(bookings.createCar, { name: 'Beetle', pricePerHour: 100 })
    const [from, to] = [24, 25].map((hours) => new Date(Date.now() + hours * HOUR_MS).toISOString()) as [string, string]
    const beganAt = new Date().toISOString()
    const { id, state } = await call(bookings.createBooking, { userId, carId, from, to })
    const endedAt = new Date().toISOString()
    t.is(state, 'COMMITTED', id)
    const callsOf = ({ calls }: (typeof hosts)[number]) =>
      calls().filter(({ time, operation }) => time >= beganAt && time <= endedAt && !operation.endsWith('createCar'))
    for (const awaited of ['bookings.createBooking', 'users.moveFunds']) {
      await until(() => hosts.flatMap(callsOf).some(({ operation }) => operation === awaited))
    }
    return hosts.filter((host) => callsOf(host).length > 0)
  }

  for (let i = 0; i < 10; i++)
    t.deepEqual(
      (await book()).map(({ domain }) => domain),
      ['bookings', 'users'],
    )
  const [dead] = await book()
  dead?.child.kill('SIGKILL')
  await until(() => system.peers().length === hosts.length - 1)
  const [alive, ...others] = await book()
  t.is(alive?.domain, 'bookings')
  t.not(alive, dead)
  t.is(others.length, 1)
})

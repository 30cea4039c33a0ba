import test, { type ExecutionContext } from 'ava'
import mongoose from 'mongoose'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { StoredEvent } from '../../platform/events/events.js'
import { onFailpoint } from '../../platform/lib/failpoints.js'
import { Crash } from '../support/faults.js'
import { until } from '../../proof/support/until.js'
import { copyThings, effectsOf } from './effects.js'
import { listeners } from './listeners.js'
import { createEventSystem, type EventSystem } from './support.js'

/** Failpoints are one per process: the tests of this file run one by one. */

const PROCESS = join(import.meta.dirname, 'dispatcherProcess.ts')
const VERSIONS = [1, 2, 3]

/**
 * A process that is killed inside a transaction leaves it open: until the server gives it up, a minute later, whoever
 * writes the same documents conflicts with it.
 */
const TAKEN_OVER = { timeoutMs: 150_000, what: 'every event to be delivered' }
/** With what the retry job does: on a busy machine a delivery may time out. */
const delivered = (system: EventSystem) =>
  until(async () => {
    await system.retry()
    return (await system.stored()).length === 0
  }, TAKEN_OVER)

async function changeAll(system: EventSystem, things: readonly string[]): Promise<void> {
  for (const version of VERSIONS) for (const thing of things) await system.change(thing, version)
}

/** Every copy is where its owner is, and every event had its effect once, however often it was delivered. */
async function assertEffects(t: ExecutionContext, system: EventSystem, things: readonly string[], what: string) {
  for (const thing of things) t.deepEqual(await effectsOf(system, thing), { version: 3, effects: 3 }, what)
}

for (const point of ['event.tell.before', 'event.tell.after', 'event.settle.after']) {
  test.serial(
    `a dispatcher is killed at ${point}: another takes over, nothing is lost, every effect is once`,
    async (t) => {
      const system = await createEventSystem(t, { operations: [listeners.hearThings] })
      system.onHearing('hearThings', copyThings)
      const things = [system.newId(), system.newId()]
      await changeAll(system, things)
      const child = fork(PROCESS, [point], {
        execArgv: ['--import=tsx'],
        env: { ...process.env, ...system.env },
      })
      t.teardown(() => child.kill('SIGKILL'))
      const [, signal] = (await once(child, 'exit')) as [number | null, string]
      t.is(signal, 'SIGKILL')
      await system.dispatch()
      await delivered(system)
      await assertEffects(t, system, things, point)
    },
  )
}

test.serial(
  'a dispatcher that breaks at any of its points begins again, in order, and every effect is once',
  async (t) => {
    const system = await createEventSystem(t, { operations: [listeners.hearThings] })
    let refusals = 0
    system.onHearing('hearThings', async (event, ctx) => {
      if (event.version === 2 && refusals++ % 2 === 0) throw new Error('once')
      await copyThings(event, ctx)
    })
    const passed = new Set<string>()
    onFailpoint((name) => void (name.startsWith('event.') && passed.add(name)))
    t.teardown(() => onFailpoint(null))
    await system.dispatch()
    const settle = async (things: string[], what: string) => {
      await until(async () => {
        await system.retry()
        return (await system.stored()).length === 0
      }, TAKEN_OVER)
      await assertEffects(t, system, things, what)
    }
    const first = [system.newId()]
    await changeAll(system, first)
    await settle(first, 'undisturbed')
    t.is(passed.size, 6, [...passed].join(' '))

    for (const name of passed) {
      const things = [system.newId(), system.newId()]
      let crashed = false
      onFailpoint((at) => {
        if (at !== name || crashed) return
        crashed = true
        throw new Crash(at)
      })
      await changeAll(system, things)
      await settle(things, name)
      t.true(crashed, name)
    }
  },
)

/** What the driver says when the oplog no longer reaches back to where a stream was. */
const HISTORY_LOST = new mongoose.mongo.MongoServerError({ message: 'the resume point is lost', code: 286 })

for (const [how, lose] of [
  ['loses its history', 'throw'],
  ['ends', 'close'],
] as const) {
  test.serial(`a change stream that ${how} costs nothing but time`, async (t) => {
    const system = await createEventSystem(t, { operations: [listeners.hearThings] })
    system.onHearing('hearThings', copyThings)
    const db = system.databases.connection('bookings').db as mongoose.mongo.Db
    const watch = db.watch.bind(db)
    const lost: (() => void)[] = []
    db.watch = ((...args: Parameters<typeof watch>) => {
      const stream = watch(...args)
      if (lost.length > 0) return stream
      const ending = new Promise<void>((resolve) => lost.push(resolve))
      return {
        close: () => stream.close(),
        async *[Symbol.asyncIterator]() {
          await ending
          if (lose === 'throw') throw HISTORY_LOST
        },
      }
    }) as never
    await system.dispatch()
    const things = [system.newId(), system.newId()]
    await until(() => lost.length > 0)
    await changeAll(system, things)
    lost[0]?.()
    await delivered(system)
    await assertEffects(t, system, things, how)
  })
}

test.serial('of two dispatchers one works; the other takes over when it stops', async (t) => {
  const system = await createEventSystem(t)
  const other = await createEventSystem(t, { beside: system })
  const thing = system.newId()
  const first = await system.dispatch()
  await system.change(thing, 1)
  await delivered(system)
  await other.dispatch()
  await system.change(thing, 2)
  await delivered(system)
  t.is(other.heard.hearThings.length, 0)
  await first.stop()
  await system.change(thing, 3)
  await delivered(system)
  t.deepEqual(
    [system.heard.hearThings, other.heard.hearThings].map((heard) => heard.map(({ version }) => version)),
    [[1, 2], [3]],
  )
})

test.serial('events wait for a subscriber that nobody hosts, and hold up nobody else', async (t) => {
  const system = await createEventSystem(t)
  let hosted = false
  system.reaches = (operation) => hosted || operation !== listeners.hearThings
  await system.dispatch()
  const [thing, other] = [system.newId(), system.newId()]
  await system.change(thing, 1)
  await system.change(thing, 2)
  await system.change(other, 1, { type: 'other:changed' })
  await until(async () => (await system.stored()).length === 2)
  t.deepEqual(
    system.heard.hearAlso.map(({ type }) => type),
    ['other:changed'],
  )
  hosted = true
  await delivered(system)
  t.deepEqual(
    system.heard.hearThings.map(({ version }) => version),
    [1, 2],
  )
  t.false(system.logs.some(({ msg }) => msg === 'an event was not delivered'))
})

test.serial('a backlog larger than memory drains completely, each event once and in order', async (t) => {
  const system = await createEventSystem(t, { operations: [listeners.hearThings] })
  let hosted = false
  system.reaches = () => hosted
  const things = Array.from({ length: 1500 }, () => system.newId())
  await insertBacklog(system, things)
  await system.dispatch()
  await until(() => system.logs.some(({ msg }) => msg === 'delivering events'))
  t.is(system.heard.hearThings.length, 0)
  hosted = true
  await delivered(system)
  t.is(system.heard.hearThings.length, things.length * VERSIONS.length)
  const versions = new Map<string, number[]>()
  for (const { aggregate, version } of system.heard.hearThings)
    versions.set(aggregate.id, [...(versions.get(aggregate.id) ?? []), version])
  t.is(versions.size, things.length)
  for (const [id, seen] of versions) t.deepEqual(seen, VERSIONS, id)
})

async function insertBacklog(system: EventSystem, things: readonly string[]): Promise<void> {
  const events = VERSIONS.flatMap((version) =>
    things.map((id): StoredEvent => ({
      _id: new mongoose.Types.ObjectId(),
      type: 'thing:changed',
      aggregate: { type: 'thing', id: new mongoose.Types.ObjectId(id) },
      version,
      payload: JSON.stringify({ id }),
      isLocked: true,
      failures: [],
      createdAt: system.clock.now(),
    })),
  )
  await system.databases.connection('bookings').collection<StoredEvent>('events').insertMany(events, { ordered: false })
}

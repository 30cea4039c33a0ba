import test from 'ava'
import { Refusal } from '../../platform/contract/errors.js'
import { until } from '../../proof/support/until.js'
import { createEventSystem } from './support.js'

test('an event is delivered to every subscriber of its type, in the order of its versions, and then gone', async (t) => {
  const system = await createEventSystem(t)
  const thing = system.newId()
  for (const version of [1, 2]) await system.change(thing, version, { payload: { version } })
  await system.dispatch()
  for (const version of [3, 4]) await system.change(thing, version, { payload: { version } })
  await system.change(system.newId(), 1, { type: 'other:changed' })
  await until(() => system.heard.hearThings.length === 4 && system.heard.hearAlso.length === 5)
  t.deepEqual(
    system.heard.hearThings.map(({ version }) => version),
    [1, 2, 3, 4],
  )
  t.deepEqual(system.heard.hearThings[2], {
    eventId: system.heard.hearThings[2]?.eventId as string,
    type: 'thing:changed',
    aggregate: { type: 'thing', id: thing },
    version: 3,
    payload: { id: thing, version: 3 },
    createdAt: system.clock.now().toISOString(),
  })
  await until(async () => (await system.stored()).length === 0)
})

test('a failed event waits unlocked with what went wrong, and comes again with those behind it', async (t) => {
  const system = await createEventSystem(t)
  const [thing, another] = [system.newId(), system.newId()]
  let broken = true
  system.onHearing('hearThings', ({ aggregate }) => {
    if (broken && aggregate.id === thing) throw new Refusal('out_of_order', 'not yet')
  })
  await system.dispatch()
  for (const version of [1, 2]) await system.change(thing, version)
  await system.change(another, 1)
  await until(() => system.heard.hearThings.some(({ aggregate }) => aggregate.id === another))
  const failed = await until(async () => (await system.stored()).find(({ isLocked }) => !isLocked))
  t.like(failed, { version: 1, deliveredTo: ['listeners.hearAlso'], deadAt: undefined })
  t.like(failed.failures[0], { subscriber: 'listeners.hearThings', code: 'out_of_order', message: 'not yet' })
  broken = false
  await system.retry()
  await until(async () => (await system.stored()).length === 0)
  const versions = (heard: typeof system.heard.hearAlso) =>
    heard.filter(({ aggregate }) => aggregate.id === thing).map(({ version }) => version)
  t.deepEqual(versions(system.heard.hearThings), [1, 1, 2])
  t.deepEqual(versions(system.heard.hearAlso), [1, 2])
})

test('a failed event comes again when it is due: by whoever failed it, or by who takes over from that one', async (t) => {
  const system = await createEventSystem(t, { now: () => new Date() })
  let failures = 2
  system.onHearing('hearThings', () => {
    if (failures-- > 0) throw new Refusal('out_of_order', 'not yet')
  })
  const first = await system.dispatch()
  await system.change(system.newId(), 1)
  await until(async () => (await system.stored()).some((event) => event.failures.length === 1 && event.retryAt))
  await first.stop()
  await system.dispatch()
  await until(async () => (await system.stored()).length === 0)
  t.is(system.heard.hearThings.length, 3)
})

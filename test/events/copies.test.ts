import test from 'ava'
import mongoose from 'mongoose'
import { applyCopy, saveCopy } from '../../platform/events/copies.js'
import { withEvents } from '../../platform/events/events.js'
import { Refusal } from '../../platform/contract/errors.js'
import { field } from '../../platform/database/fields.js'
import { defineModel } from '../../platform/database/model.js'
import { createTestSystem, type TestSystem } from '../support/system.js'
import { things as emits } from './listeners.js'

interface ThingCopy {
  title: string
  version: number
}

const ThingCopy = defineModel<ThingCopy>('bookings', 'thingCopies', { title: field.text, version: field.count })

const event = (id: string, version: number) => ({
  type: 'thing:changed' as const,
  aggregate: { type: 'thing', id },
  version,
})

async function apply(system: TestSystem, id: string, version: number, creates = false): Promise<string> {
  try {
    return await applyCopy(system.model(ThingCopy), event(id, version), { title: `v${version}` }, { creates })
  } catch (error) {
    return (error as Refusal).code
  }
}

const read = (system: TestSystem, id: string) => system.model(ThingCopy).findById(id, { _id: 0 }).lean()

for (const first of [0, 1, 7]) {
  test(`a copy follows its owner version by version, whatever the first one is (${first})`, async (t) => {
    const system = await createTestSystem(t)
    const id = system.newId()
    t.is(await apply(system, id, first + 1), 'out_of_order')
    t.is(await apply(system, id, first, true), 'applied')
    t.is(await apply(system, id, first + 2), 'out_of_order')
    t.is(await apply(system, id, first + 1), 'applied')
    t.is(await apply(system, id, first + 1), 'older')
    t.is(await apply(system, id, first, true), 'older')
    t.is(await apply(system, id, first + 2), 'applied')
    t.deepEqual(await read(system, id), { title: `v${first + 2}`, version: first + 2 })
  })
}

test('events in any order, each delivered until it is acknowledged, end in the same copy', async (t) => {
  const system = await createTestSystem(t)
  const id = system.newId()
  const last = 5
  for (let round = 0; round < last; round++)
    for (let version = last; version >= 1; version--) await apply(system, id, version, version === 1)
  t.deepEqual(await read(system, id), { title: `v${last}`, version: last })
})

test('of many deliveries of an event at once, one applies', async (t) => {
  const system = await createTestSystem(t)
  const id = system.newId()
  for (const [version, creates] of [
    [1, true],
    [2, false],
  ] as const) {
    const answers = await Promise.all(Array.from({ length: 8 }, () => apply(system, id, version, creates)))
    t.is(answers.filter((answer) => answer === 'applied').length, 1)
    t.is(await apply(system, id, version, creates), 'older')
  }
})

test('a copy fetched from its owner is ahead of the events that are still to come', async (t) => {
  const system = await createTestSystem(t)
  const id = system.newId()
  const model = system.model(ThingCopy)
  const fetched = (version: number) => saveCopy(model, { id, version }, { title: `v${version}` })
  await fetched(3)
  for (const version of [1, 2, 3]) t.is(await apply(system, id, version, version === 1), 'older')
  t.is(await apply(system, id, 4), 'applied')
  await fetched(3)
  t.deepEqual(await read(system, id), { title: 'v4', version: 4 })
  await Promise.all([fetched(6), fetched(6)])
  t.deepEqual(await read(system, id), { title: 'v6', version: 6 })
})

test('a change and its event are saved together, or neither', async (t) => {
  const system = await createTestSystem(t)
  const connection = system.databases.connection('bookings')
  const things = connection.collection('thingCopies')
  const id = system.newId()
  const change = (title: string, fails = false) =>
    withEvents(system, emits, async (tx) => {
      const _id = new mongoose.Types.ObjectId(id)
      await things.updateOne({ _id }, { $set: { title }, $inc: { version: 1 } }, { upsert: true, session: tx.session })
      const saved = await things.findOne({ _id }, { session: tx.session })
      const version = saved?.['version'] as number
      tx.emit({ ...event(id, version), payload: { title, amount: 3_000_000_000 } })
      if (fails) throw new Refusal('version_conflict', 'no')
      return version
    })
  t.is(await change('one'), 1)
  await t.throwsAsync(() => change('two', true), { message: 'no' })
  // Transactions that meet run again.
  await Promise.all(['three', 'four', 'five'].map((title) => change(title)))
  const events = await connection.collection('events').find({}).sort({ version: 1 }).toArray()
  t.deepEqual(
    events.map(({ version }) => version as number),
    [1, 2, 3, 4],
  )
  t.is((await things.findOne({}))?.['version'], 4)
  t.like(events[0], { type: 'thing:changed', isLocked: true, failures: [], createdAt: system.clock.now() })
  t.deepEqual(JSON.parse(events[0]?.['payload'] as string), { title: 'one', amount: 3_000_000_000 })
})

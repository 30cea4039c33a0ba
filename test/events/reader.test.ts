import test from 'ava'
import mongoose from 'mongoose'
import { outboxes } from '../../platform/events/outbox.js'
import { openOutboxReader } from '../../platform/events/outboxReader.js'
import { createEventSystem } from './support.js'

/** Delivered events are removed at w:1, which a majority read alone shows for as long as a journal flush takes. */
test('what was removed before a read is not in it', async (t) => {
  const system = await createEventSystem(t)
  const outbox = (await system.use(outboxes)).find(({ domains }) => domains.includes('bookings'))!
  const connection = await outbox.connection()
  const reader = await openOutboxReader(connection, outbox.carriers, ['thing:changed'])
  t.teardown(() => reader.close())
  const events = connection.collection('events')
  for (let i = 0; i < 25; i++) {
    const id = system.newId()
    await system.change(id, 1)
    const aggregate = { type: 'thing', id: new mongoose.Types.ObjectId(id) }
    t.is((await reader.of([aggregate])).length, 1)
    await events.deleteMany({}, { writeConcern: { w: 1 } })
    t.deepEqual(await reader.of([aggregate]), [])
    await system.change(id, 2)
    await events.deleteMany({}, { writeConcern: { w: 1 } })
    for await (const page of reader.pages()) t.deepEqual(page, [])
  }
})

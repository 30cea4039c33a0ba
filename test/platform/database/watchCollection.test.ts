import test from 'ava'
import type { mongo } from 'mongoose'
import { watchCollection } from '../../../platform/database/watchCollection.js'
import { until } from '../../../proof/support/until.js'
import { createTestSystem } from '../../support/system.js'

test('it calls back when it begins, when something that matches is written, and no more when it is closed', async (t) => {
  const system = await createTestSystem(t)
  const watched = system.databases.connection('users').db?.collection('watched') as mongo.Collection
  let called = 0
  const watch = watchCollection(watched, {
    match: { operationType: 'insert' },
    changed: () => void called++,
    log: system.log,
  })
  await until(() => called === 1)
  await watched.insertOne({})
  await until(() => called === 2)
  await watched.updateOne({}, { $set: { seen: true } })
  await watched.insertOne({})
  await until(() => called === 3)
  await watch.close()
  await watched.insertOne({})
  t.is(called, 3)
})

import test from 'ava'
import type { mongo } from 'mongoose'
import { watchCollections } from '../../../platform/database/watchCollections.js'
import { until } from '../../../proof/support/until.js'
import { createTestSystem } from '../../support/system.js'

test('it calls back when it begins, when something is inserted that is watched, and no more when it is closed', async (t) => {
  const system = await createTestSystem(t)
  const db = system.databases.connection('users').db as mongo.Db
  const [one, other, unwatched] = ['one', 'other', 'unwatched'].map((name) => db.collection(name))
  if (!one || !other || !unwatched) return t.fail()
  const inserted: string[] = []
  const watch = watchCollections(db, ['one', 'other'], {
    inserted: (collection) => void inserted.push(collection),
    log: system.log,
  })
  await until(() => inserted.length === 2)
  t.deepEqual(inserted, ['one', 'other'], 'something may have come before')
  await unwatched.insertOne({})
  await one.insertOne({})
  await until(() => inserted.length === 3)
  await one.updateOne({}, { $set: { seen: true } })
  await other.insertOne({})
  await until(() => inserted.length === 4)
  await watch.close()
  await one.insertOne({})
  t.deepEqual(inserted.slice(2), ['one', 'other'])
})

import test from 'ava'
import mongoose from 'mongoose'
import { startProxy, UNDISTURBED } from '../../chaos/proxy.js'
import { mongoStore } from '../../protocol/mongoStore.js'
import { Unknown, type Id } from '../../protocol/store.js'
import { sharedMongod } from '../support/mongod.js'

interface Counter {
  _id: Id
  n: number
}

/** A store behind a proxy that can lose replies, and the same documents past it. */
async function lossyStore(t: import('ava').ExecutionContext) {
  const mongod = await sharedMongod()
  const uri = new URL(mongod.uri())
  const proxy = await startProxy({ targetPort: Number(uri.port), random: () => 0 })
  const direct = await mongoose.createConnection(uri.href).asPromise()
  uri.port = String(proxy.port)
  uri.searchParams.delete('replicaSet')
  uri.searchParams.set('directConnection', 'true')
  const lossy = await mongoose.createConnection(uri.href, { retryWrites: false, maxPoolSize: 1 }).asPromise()
  t.teardown(async () => {
    await lossy.destroy()
    await direct.destroy()
    await proxy.close()
  })
  // Connects and authenticates before anything is lost.
  await lossy.collection('counters').findOne()
  return {
    store: mongoStore<Counter>(lossy.collection('counters'), { timeoutMs: 5000 }),
    counters: direct.collection<Counter>('counters'),
    loseReplies: () => proxy.disturb({ ...UNDISTURBED, dropReplies: 1 }),
    heal: () => proxy.disturb(UNDISTURBED),
  }
}

for (const durability of ['local', 'majority'] as const) {
  test(`an insert whose reply is lost is unknown, whether it landed or not (${durability})`, async (t) => {
    const { store, counters, loseReplies } = await lossyStore(t)
    const _id = new mongoose.Types.ObjectId()
    loseReplies()
    await t.throwsAsync(store.insert({ _id, n: 0 }, durability), { instanceOf: Unknown })
    t.is(await counters.countDocuments({ _id }), 1)
  })

  test(`an update whose reply is lost is unknown, and not judged by a read (${durability})`, async (t) => {
    const { store, counters, loseReplies } = await lossyStore(t)
    const _id = new mongoose.Types.ObjectId()
    t.is(await store.insert({ _id, n: 0 }, durability), 'inserted')
    loseReplies()
    const update = store.update('count', { id: _id, guard: {}, change: { $inc: { n: 1 } } }, durability)
    await t.throwsAsync(update, { instanceOf: Unknown })
    t.is((await counters.findOne({ _id }))?.n, 1)
  })
}

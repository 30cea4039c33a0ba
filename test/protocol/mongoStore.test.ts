import test, { type ExecutionContext } from 'ava'
import mongoose from 'mongoose'
import { mongoStore } from '../../protocol/mongoStore.js'
import { Unknown, type Id } from '../../protocol/store.js'
import { lossyProxy } from '../support/lossyProxy.js'
import { sharedMongod } from '../support/mongod.js'

interface Counter {
  _id: Id
  n: number
}

/** A store on whose way replies can be lost, and the same documents by a safe way. */
async function lossyStore(t: ExecutionContext) {
  const uri = (await sharedMongod()).uri()
  const { uri: lossyUri, loseOneReply } = await lossyProxy(t, uri)
  const direct = await mongoose.createConnection(uri).asPromise()
  const lossy = await mongoose.createConnection(lossyUri, { retryWrites: false }).asPromise()
  t.teardown(() => Promise.all([lossy.destroy(), direct.destroy()]))
  // Connected before anything is lost: what gets lost then is the reply to the write.
  await lossy.collection('counters').findOne()
  return {
    store: mongoStore<Counter>(lossy.collection('counters'), { timeoutMs: 5000 }),
    counters: direct.collection<Counter>('counters'),
    loseOneReply,
  }
}

for (const durability of ['local', 'majority'] as const) {
  test(`an insert whose reply is lost is unknown, though it landed (${durability})`, async (t) => {
    const { store, counters, loseOneReply } = await lossyStore(t)
    const _id = new mongoose.Types.ObjectId()
    loseOneReply()
    await t.throwsAsync(store.insert({ _id, n: 0 }, durability), { instanceOf: Unknown })
    t.is(await counters.countDocuments({ _id }), 1)
  })

  test(`an update whose reply is lost is unknown, and not judged by a read (${durability})`, async (t) => {
    const { store, counters, loseOneReply } = await lossyStore(t)
    const _id = new mongoose.Types.ObjectId()
    t.is(await store.insert({ _id, n: 0 }, durability), 'inserted')
    loseOneReply()
    const update = store.update('count', { id: _id, guard: {}, change: { $inc: { n: 1 } } }, durability)
    await t.throwsAsync(update, { instanceOf: Unknown })
    t.is((await counters.findOne({ _id }))?.n, 1)
  })
}

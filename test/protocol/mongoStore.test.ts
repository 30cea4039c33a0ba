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
    db: direct.db as mongoose.mongo.Db,
    loseOneReply,
  }
}

test('periods that are taken of one document at once are taken by one write, if all of them can be', async (t) => {
  const { store, counters, db } = await lossyStore(t)
  const [free, taken] = [new mongoose.Types.ObjectId(), new mongoose.Types.ObjectId()]
  const hour = (n: number) => ({ from: new Date(n * 3_600_000), to: new Date((n + 1) * 3_600_000) })
  await counters.insertMany([{ _id: free, n: 0, held: [] } as never, { _id: taken, n: 0, held: [hour(7)] } as never])
  const take = (id: Id, n: number) => {
    const free = { array: 'held', period: hour(n) }
    return store.update(
      'take',
      { id, guard: { n: { $ne: 1 } }, change: { $push: { held: hour(n) } }, free },
      'majority',
    )
  }
  const held = async (id: Id) => {
    const found = (await counters.findOne({ _id: id })) as unknown as { held: { from: Date }[] }
    return found.held.map(({ from }) => from.getTime() / 3_600_000).sort((a, b) => a - b)
  }
  const hours = Array.from({ length: 20 }, (_, i) => i)

  await db.command({ profile: 2 })
  const answers = await Promise.all(hours.map((n) => take(free, n)))
  t.true(answers.every(({ matched }) => matched))
  t.deepEqual(await held(free), hours)
  const updates = await db.collection('system.profile').countDocuments({ op: 'update' })
  t.true(updates <= 2, `${updates} updates`)

  // One of them can't, so each is on its own; and of two that want the same hour at once one gets it.
  const others = await Promise.all([...hours, 9].map((n) => take(taken, n)))
  t.deepEqual(await held(taken), hours)
  for (const [i, { matched }] of others.entries()) t.false(matched && i === 7)
  t.false(others[9]?.matched && others[20]?.matched)
})

test('where the reply to such a write is lost, it is unknown to all of them, and not sent again', async (t) => {
  const { store, counters, db, loseOneReply } = await lossyStore(t)
  const _id = new mongoose.Types.ObjectId()
  await counters.insertOne({ _id, n: 0, held: [] } as never)
  await db.command({ profile: 2 })
  loseOneReply()
  const takes = [1, 2, 3].map((n) => {
    const period = { from: new Date(2 * n), to: new Date(2 * n + 1) }
    const update = { id: _id, guard: {}, change: { $push: { held: period } }, free: { array: 'held', period } }
    return t.throwsAsync(store.update('take', update, 'majority'), { instanceOf: Unknown })
  })
  await Promise.all(takes)
  t.is(((await counters.findOne({ _id })) as unknown as { held: unknown[] }).held.length, 3)
  t.is(await db.collection('system.profile').countDocuments({ op: 'update' }), 1)
})

test('ids that leave one array at once leave it in one write, and no other', async (t) => {
  const { store, counters, db } = await lossyStore(t)
  const [_id, other, ...ids] = Array.from({ length: 40 }, () => new mongoose.Types.ObjectId()) as [Id, Id, ...Id[]]
  const stays = new mongoose.Types.ObjectId()
  for (const each of [_id, other]) await counters.insertOne({ _id: each, n: 0, ids: [stays, ...ids] } as never)
  await db.command({ profile: 2 })
  await Promise.all(ids.map((value) => store.pull('clear', { id: _id, field: 'ids', value })))
  t.true((await db.collection('system.profile').countDocuments({ op: 'update' })) <= 2)
  t.like(await counters.findOne({ _id }), { ids: [stays] })
  t.like(await counters.findOne({ _id: other }), { ids: [stays, ...ids] })
  await store.pull('clear', { id: _id, field: 'ids', value: ids[0] as Id })
  t.like(await counters.findOne({ _id }), { ids: [stays] })
})

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

import test from 'ava'
import mongoose from 'mongoose'
import { Memory, storeOf } from '../../proof/explore/memoryStore.js'
import { byCollection, keyOf, type Operation } from '../../proof/explore/snapshot.js'
import { createEngine, type EngineBooking } from '../../protocol/engine.js'
import { Unknown } from '../../protocol/store.js'

const RULES = byCollection(() => ({ unique: [] }))
const AT = new Date('2031-01-01T00:00:00.000Z')

test('an owner goes on only at an epoch that it raised itself', async (t) => {
  const memory = new Memory(new Map(), RULES)
  const _id = new mongoose.Types.ObjectId()
  const asked: string[] = []
  let looks = 0
  const recovery = () =>
    memory.perform({ kind: 'take', collection: 'bookings', id: _id, guard: {}, change: { $inc: { epoch: 1 } } })

  const perform = (operation: Operation): Promise<unknown> => {
    asked.push(operation.kind === 'update' ? operation.step : operation.kind)
    // The first look sees nothing, whyever. Before the second, recovery takes the booking over.
    if (operation.kind === 'read' && ++looks === 1) return Promise.resolve(null)
    if (operation.kind === 'read' && looks === 2) recovery()
    const answer = memory.perform(operation)
    const isDecision = operation.kind === 'update' && operation.step === 'APPLIED'
    return isDecision ? Promise.reject(new Unknown('no answer')) : Promise.resolve(answer)
  }
  const engine = createEngine<EngineBooking>({
    store: storeOf('bookings', perform),
    votersOf: () => [],
    now: () => AT,
    reversalOf: () => t.fail(),
    pause: () => Promise.resolve(),
  })

  const booking: EngineBooking = {
    _id,
    state: 'INITIAL',
    epoch: 1,
    recoveries: 0,
    parked: false,
    repairs: [],
    createdAt: AT,
    lastModified: AT,
  }
  const ended = await engine.create(booking, Infinity)

  t.deepEqual(asked, ['insert', 'APPLIED', 'read', 'read', 'read', 'take', 'COMMITTED'])
  t.is(ended === 'duplicate' ? ended : ended.state, 'COMMITTED')
  t.is(memory.snapshot.get(keyOf('bookings', _id))?.['epoch'], 3)
})

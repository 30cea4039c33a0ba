import fc from 'fast-check'
import test from 'ava'
import { bookings } from '../../functions/bookings/contract.js'
import { onTheWire, type DomainEvent, type StoredEvent } from '../../platform/events/events.js'
import { concerns } from '../../platform/events/subscribers.js'
import type { Operation } from '../../platform/contract/contract.js'
import { Refusal } from '../../platform/contract/errors.js'
import { loadContracts } from '../../platform/runtime/tree.js'
import { createStore, PRICE, type Store } from './support.js'

/** What each entity must end as, however its events come. */
interface Ending {
  orders: string[]
  charges: string[]
  locks: (string | undefined)[]
  balances: number[]
}

const MAX_ROUNDS = 60

/**
 * Delivers events as badly as is allowed, and worse: in an order that the numbers decide, also within one aggregate, and
 * every third one twice, until each was taken. What is emitted meanwhile joins in.
 */
async function deliverBadly(store: Store, picks: () => number): Promise<void> {
  const subscriptions = [...(await loadContracts()).values()].filter(({ subscribes }) => subscribes)
  const stored = store.databases.connection('orders').collection<StoredEvent>('events')
  const open: { operation: Operation; event: DomainEvent }[] = []
  const seen = new Set<string>()
  for (let round = 0; round < MAX_ROUNDS; round++) {
    for (const each of await stored.find().toArray()) {
      if (seen.has(String(each._id))) continue
      seen.add(String(each._id))
      const event = onTheWire(each)
      for (const operation of subscriptions)
        if (operation.subscribes?.includes(event.type) && concerns(operation, event.payload))
          open.push({ operation, event })
    }
    if (open.length === 0) return
    const shuffled = open.splice(0).map((each) => ({ each, key: picks() }))
    for (const { each, key } of shuffled.sort((a, b) => a.key - b.key)) {
      const tell = () => store.run(each.operation, each.event, null)
      try {
        await tell()
        if (key % 3 === 0) await tell()
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        open.push(each)
      }
    }
  }
  throw new Error(`${open.length} events were never taken`)
}

/** Two buyers and one ticket: the first order expires, the second holds it, both pay, and the second one cancels. */
async function play(store: Store, deliver: () => Promise<void>): Promise<Ending> {
  const { ticketId, seller } = await store.sell()
  const { ticketId: other } = await store.sell({ seller })
  const [ann, bob] = [await store.makeUser({ balance: 2 * PRICE }), await store.makeUser({ balance: 2 * PRICE })]
  const first = await store.order(ann, ticketId)
  const sold = await store.order(bob, other)
  const charges = [await store.pay(bob, sold)]
  await deliver()
  await store.expire(first)
  await deliver()
  const second = await store.order(bob, ticketId)
  charges.push(await store.pay(ann, first))
  await deliver()
  await store.expire(second)
  await deliver()
  charges.push(await store.pay(ann, first))
  await deliver()
  const orders = [first, sold, second]
  return {
    orders: await Promise.all(orders.map((each) => store.orderOf(each))),
    charges: await Promise.all(charges.map((each) => store.chargeOf(each))),
    locks: (await Promise.all([ticketId, other].map((each) => store.lockOf(each)))).map((lock) =>
      lock === undefined ? undefined : `order ${orders.indexOf(lock)}`,
    ),
    balances: await Promise.all([seller, ann, bob].map((each) => store.balanceOf(each))),
  }
}

const EXPECTED: Ending = {
  orders: ['complete', 'complete', 'cancelled: expired'],
  charges: ['settled', 'refunded: ticket_taken', 'settled'],
  locks: ['order 0', 'order 1'],
  balances: [2 * PRICE, PRICE, PRICE],
}

test('events that come twice, late and in the wrong order end in the same state', async (t) => {
  const store = await createStore(t)
  await fc.assert(
    fc.asyncProperty(fc.infiniteStream(fc.nat(1_000_000)), async (numbers) => {
      await store.databases.connection('orders').collection('events').deleteMany({})
      const picks = () => numbers.next().value as number
      t.deepEqual(await play(store, () => deliverBadly(store, picks)), EXPECTED)
    }),
    { numRuns: 3, endOnFailure: true },
  )
  t.deepEqual((await store.run(bookings.auditBooks, {})).violations, [])
})

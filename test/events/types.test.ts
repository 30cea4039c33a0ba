import test from 'ava'
import { z } from 'zod'
import type { Holdfast } from '../../client/src/index.js'
import { emits } from '../../functions/orders/contract.js'
import { defineContract, subscriber, type HandlerInput } from '../../platform/contract/contract.js'
import { defineEvents } from '../../platform/contract/events.js'
import { withEvents, type EventTransaction } from '../../platform/events/events.js'
import { createTestSystem } from '../support/system.js'

/** What does not compile, `npm run types` sees: an error that is expected and does not come is one itself. */

const about = { aggregate: { type: 'order', id: 'a'.repeat(24) }, version: 1 }

export function emitsWrongly(
  tx: EventTransaction<typeof emits>,
  payload: z.input<(typeof emits)['types']['order:created']['payload']>,
) {
  tx.emit({ ...about, type: 'order:created', payload })
  // @ts-expect-error Orders promise no such type.
  tx.emit({ ...about, type: 'order:sold', payload })
  // @ts-expect-error It is another domain's.
  tx.emit({ ...about, type: 'ticket:created', payload })
  // @ts-expect-error Most of what the contract promises is missing.
  tx.emit({ ...about, type: 'order:created', payload: { id: payload.id } })
  // @ts-expect-error A Date is no text.
  tx.emit({ ...about, type: 'order:created', payload: { ...payload, expiresAt: new Date() } })
}

const summary = 'Hears of orders.'

export const wrong = defineContract('wrong', {
  hears: subscriber({ summary, payload: z.object({ price: z.int() }), subscribes: ['order:created'] }),
  // @ts-expect-error Nobody emits it.
  misspelt: subscriber({ summary, payload: z.object({}), subscribes: ['order:craeted'] }),
  // @ts-expect-error No order says that.
  expectsMore: subscriber({ summary, payload: z.object({ colour: z.string() }), subscribes: ['order:created'] }),
  // @ts-expect-error Tickets do not say that, orders do.
  expectsOfBoth: subscriber({
    summary,
    payload: z.object({ hold: z.int() }),
    subscribes: ['order:created', 'ticket:created'],
  }),
  // @ts-expect-error Not each charge has an alert.
  expectsAlways: subscriber({
    summary,
    payload: z.object({ alert: z.object({ name: z.string() }) }),
    subscribes: ['charge:updated'],
  }),
  onlyWhere: subscriber({
    summary,
    payload: z.object({ alert: z.object({ name: z.string() }) }),
    subscribes: ['charge:updated'],
    subscribesWhere: ['alert'],
  }),
})

export function reads({ type, payload }: HandlerInput<typeof wrong.hears>): number {
  const known: 'order:created' = type
  // @ts-expect-error The subscriber reads the price alone.
  void payload.state
  return known.length + payload.price
}

export async function readsNews(client: Holdfast, lobbyId: string): Promise<void> {
  for await (const entry of client.news()) {
    if (entry.name === 'gap') continue
    if (entry.name === 'booking:updated') void (entry.cost + entry.seq)
    // @ts-expect-error A charge has no cost.
    if (entry.name === 'charge:updated') void entry.cost
    // @ts-expect-error Nobody tells that.
    if (entry.name === 'booking:sold') return
  }
  for await (const entry of client.lobby(lobbyId)) {
    if (entry.name === 'lobby:message') void entry.text.length
    // @ts-expect-error Lobbies do not learn who sits where.
    if (entry.name === 'booking:confirmed') void entry.passengers
  }
}

test('in development and tests, what an event says must fit its contract, and nothing is saved otherwise', async (t) => {
  const system = await createTestSystem(t, { functions: [] })
  const things = defineEvents('bookings', {
    'thing:changed': { when: 'A test changed it.', payload: z.object({ size: z.int() }) },
  })
  const collection = system.databases.connection('bookings').collection('things')
  const change = (size: number) =>
    withEvents(system, things, async (tx) => {
      await collection.insertOne({ size }, { session: tx.session })
      tx.emit({
        type: 'thing:changed',
        aggregate: { type: 'thing', id: system.newId() },
        version: 1,
        payload: { size },
      })
    })
  await change(1)
  await t.throwsAsync(() => change(1.5), { message: /thing:changed does not say what its contract promises.*size/s })
  t.is(await collection.countDocuments(), 1)
})

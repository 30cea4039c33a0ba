import type { ExecutionContext } from 'ava'
import mongoose from 'mongoose'
import { events } from '../../functions/events/contract.js'
import type { Operation } from '../../platform/contract/contract.js'
import { startDispatching, type Dispatching } from '../../platform/events/dispatcher.js'
import { withEvents, type DomainEvent, type StoredEvent } from '../../platform/events/events.js'
import { define, type Context, type FunctionDefinition } from '../../platform/runtime/function.js'
import { loadFunctions } from '../../platform/runtime/tree.js'
import { createTestSystem, type TestSystem, type TestSystemOptions } from '../support/system.js'
import { listeners, things as emits } from './listeners.js'

export type Hearing = (event: DomainEvent, ctx: Context) => Promise<void> | void

interface Changed {
  type?: keyof (typeof emits)['types']
  payload?: object
}

export interface EventSystem extends TestSystem {
  /** What each listener was told, in order, whatever it answered. */
  heard: Record<keyof typeof listeners, DomainEvent[]>
  /** What a listener does with an event; by default it answers. */
  onHearing(listener: keyof typeof listeners, hearing: Hearing): void
  /** Saves a change of a thing with its event. Answers the event's id. */
  change(thingId: string, version: number, options?: Changed): Promise<void>
  dispatch(): Promise<Dispatching>
  stored(): Promise<StoredEvent[]>
  /** As the retry job does, whatever the time at which an event is due again: the clock of tests stands still. */
  retry(): Promise<void>
}

export async function createEventSystem(
  t: ExecutionContext,
  options: Pick<TestSystemOptions, 'env' | 'beside' | 'now'> & { operations?: readonly Operation[] } = {},
): Promise<EventSystem> {
  const heard: EventSystem['heard'] = { hearThings: [], hearAlso: [] }
  const hearings = new Map<string, Hearing>()
  const functions = Object.entries(listeners).map(([name, each]) =>
    define(each, async (ctx, event) => {
      heard[name as keyof typeof listeners].push(event)
      await hearings.get(name)?.(event, ctx)
      return {}
    }),
  ) as unknown as FunctionDefinition[]
  const { operations, ...rest } = options
  const system = await createTestSystem(t, { functions: [...(await loadFunctions()), ...functions], ...rest })
  const things = system.databases.connection('bookings').collection('things')
  const started: Dispatching[] = []
  t.teardown(async () => {
    for (const each of started) await each.stop()
  })

  return Object.assign(system, {
    heard,
    onHearing: (listener: keyof typeof listeners, hearing: Hearing) => void hearings.set(listener, hearing),
    async change(thingId: string, version: number, { type = 'thing:changed', payload = {} }: Changed = {}) {
      await withEvents(system, emits, async (tx) => {
        const _id = new mongoose.Types.ObjectId(thingId)
        await things.updateOne({ _id }, { $set: { version } }, { upsert: true, session: tx.session })
        const kind = type.split(':')[0] as string
        tx.emit({ type, aggregate: { type: kind, id: thingId }, version, payload: { id: thingId, ...payload } })
      })
    },
    async dispatch() {
      const dispatching = await startDispatching(system, operations ?? Object.values(listeners))
      started.push(dispatching)
      return dispatching
    },
    stored: () =>
      system.databases.connection('bookings').collection<StoredEvent>('events').find({}).toArray() as Promise<
        StoredEvent[]
      >,
    async retry() {
      system.clock.advance(300_000)
      await system.run(events.retryEvents, {}, null)
    },
  })
}

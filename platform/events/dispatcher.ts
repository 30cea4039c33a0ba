import type { mongo } from 'mongoose'
import { hostname } from 'node:os'
import type { Operation } from '../contract/contract.js'
import { createEventCourier, type EventCourier } from './courier.js'
import { createEventLease, LEASE_MS, LEASE_RENEWAL_MS, type EventLease } from './lease.js'
import { eventSubscribers } from './subscribers.js'
import { createOutboxWriter, outboxes, type Outbox, type OutboxWriter } from './outbox.js'
import { nextRetryAt, retryDue } from './outboxAdmin.js'
import { keyOf, openOutboxReader, type Aggregate, type OutboxReader } from './outboxReader.js'
import { createAlarm } from '../lib/alarm.js'
import type { System } from '../runtime/system.js'
import { loadContracts } from '../runtime/tree.js'

export interface Dispatching {
  /** Ends what is under way and lets the next dispatcher take over at once. */
  stop(): Promise<void>
}

/** How often everything in the outbox is read, whatever the stream told: the sweep is the truth. */
const SWEEP_EVERY_MS = 30_000
const LOOK_FOR_RETURNED_MS = 250
const RESTART_AFTER_MS = 250
const MAX_MISSED = 50_000
const RELOAD_AT_ONCE = 500

/**
 * Delivers the events of every database. Any number of processes may run this: in each database one of them, the holder
 * of its lease, works, and another takes over when it dies.
 */
export async function startDispatching(system: System, operations?: Iterable<Operation>): Promise<Dispatching> {
  const subscriptions = [...(operations ?? (await loadContracts()).values())]
  const dispatchers = (await system.use(outboxes)).map((each) => dispatch(system, each, subscriptions))
  return {
    async stop() {
      await Promise.all(dispatchers.map(({ stop }) => stop()))
    },
  }
}

function dispatch(system: System, outbox: Outbox, subscriptions: readonly Operation[]): Dispatching {
  const holder = `${hostname()}:${process.pid}:${system.newId()}`
  const log = system.log.child({ events: outbox.domains })
  const end = new AbortController()
  let work: Leadership | undefined

  async function run(): Promise<void> {
    while (!end.signal.aborted) {
      try {
        const connection = await outbox.connection()
        const lease = createEventLease(connection.db as mongo.Db, holder)
        if (await lease.hold()) {
          work = await lead({ system, outbox, subscriptions, lease })
          log.info('delivering events')
          if (end.signal.aborted) work.end()
          await work.ended
          if (end.signal.aborted) await lease.release()
        }
      } catch (error) {
        log.warn({ err: error }, 'events are not delivered, until this begins again')
      }
      // Whoever still holds the lease goes on soon; the others look for it.
      await pause(work ? RESTART_AFTER_MS : LEASE_RENEWAL_MS, end.signal)
      work = undefined
    }
  }

  const running = run()
  return {
    async stop() {
      end.abort()
      work?.end()
      // Without work it may wait for a database that is out of reach.
      if (work) await running
    },
  }
}

interface Leadership {
  end(): void
  /** Rejects with what went wrong. */
  ended: Promise<void>
}

/** The work of a lease's holder, until it is lost, ended, or something breaks. */
async function lead(options: {
  system: System
  outbox: Outbox
  subscriptions: readonly Operation[]
  lease: EventLease
}): Promise<Leadership> {
  const { system, outbox, subscriptions, lease } = options
  const connection = await outbox.connection()
  const subscribers = eventSubscribers(system, subscriptions)
  const reader = await openOutboxReader(connection, outbox.carriers, subscribers.types)
  const stopping = new AbortController()
  let failure: unknown
  const broken = (error: unknown): void => {
    if (!stopping.signal.aborted) failure = error
    stopping.abort()
  }
  const retrying = createRetrying(system, outbox, stopping.signal)
  const courier = createEventCourier({
    system,
    subscribers,
    writer: retrying.heeding(createOutboxWriter(connection, outbox.carriers)),
    onBroken: broken,
  })
  const catchUp = createCatchUp(reader, courier, stopping.signal)

  async function follow(): Promise<void> {
    for await (const news of reader.news()) {
      if ('again' in news) catchUp.again(news.again.toHexString())
      else if (!catchUp.isDone() || !courier.hasRoom()) catchUp.missed(news.events.map(({ aggregate }) => aggregate))
      else courier.offer(news.events)
    }
    if (!stopping.signal.aborted) throw new Error('the change stream ended')
  }

  /** A holder that could not renew for as long as the lease lasts is none any more. */
  async function keepLease(): Promise<void> {
    for (let renewedAt = performance.now(); ;) {
      await pause(LEASE_RENEWAL_MS, stopping.signal)
      if (stopping.signal.aborted) return
      const sentAt = performance.now()
      const held = await lease.hold().catch(() => performance.now() - renewedAt < LEASE_MS)
      if (!held) throw new Error('another dispatcher has taken over')
      renewedAt = sentAt
    }
  }

  async function timers(): Promise<void> {
    for (let sweptAt = performance.now(); !stopping.signal.aborted;) {
      await pause(LOOK_FOR_RETURNED_MS, stopping.signal)
      const sweep = performance.now() - sweptAt > SWEEP_EVERY_MS
      if (sweep) sweptAt = performance.now()
      if (courier.releaseReturned() || sweep) catchUp.sweep()
    }
  }

  async function ended(): Promise<void> {
    const work = [follow(), keepLease(), timers(), retrying.run(), catchUp.run()].map((each) => each.catch(broken))
    await aborted(stopping.signal)
    await courier.stop()
    await reader.close()
    await Promise.all(work)
    if (failure) throw failure as Error
  }
  return { end: () => stopping.abort(), ended: ended() }
}

/**
 * Locks again what failed when it is due, which the stream then tells. Whoever fails an event knows when that is; what
 * was failed before, by another process, is looked for at the start, and with each sweep.
 */
function createRetrying(system: System, outbox: Outbox, signal: AbortSignal) {
  const alarm = createAlarm()
  signal.addEventListener('abort', alarm.wake)
  return {
    /** The same writer, which tells of each failure. */
    heeding: (writer: OutboxWriter): OutboxWriter => ({
      ...writer,
      fail: (event, verdict) => writer.fail(event, verdict).then(alarm.wake),
    }),
    async run(): Promise<void> {
      while (!signal.aborted) {
        const now = system.now()
        const next = await nextRetryAt(outbox)
        if (next && next <= now) await retryDue(outbox, now)
        else await alarm.wait(next ? Math.min(next.getTime() - now.getTime(), SWEEP_EVERY_MS) : SWEEP_EVERY_MS)
      }
    },
  }
}

/** Reads what the stream did not bring, or brought too early: while that is under way, nothing of it is sent past it. */
function createCatchUp(reader: OutboxReader, courier: EventCourier, signal: AbortSignal) {
  let sweepDue = true
  let idle = false
  let wake = (): void => {}
  const missed = new Map<string, Aggregate>()
  signal.addEventListener('abort', () => wake())

  function miss(aggregates: readonly Aggregate[]): void {
    for (const each of aggregates) missed.set(keyOf(each), each)
    if (missed.size > MAX_MISSED) {
      missed.clear()
      sweepDue = true
    }
    wake()
  }

  async function sweep(): Promise<void> {
    sweepDue = false
    const vanished = new Set(courier.waitingFor())
    await courier.room()
    courier.beginRead()
    for await (const page of reader.pages()) {
      if (signal.aborted) return
      courier.offer(page)
      for (const { _id } of page) vanished.delete(_id.toHexString())
      await courier.room()
      courier.beginRead()
    }
    // Somebody removed them: what waited behind them is due.
    miss([...vanished].map(courier.release).filter((aggregate) => aggregate !== undefined))
  }

  async function reload(): Promise<void> {
    await courier.room()
    const some = [...missed].slice(0, RELOAD_AT_ONCE)
    for (const [key] of some) missed.delete(key)
    courier.beginRead()
    courier.offer(await reader.of(some.map(([, aggregate]) => aggregate)))
  }

  function again(eventId: string): void {
    const aggregate = courier.release(eventId)
    if (aggregate) return miss([aggregate])
    sweepDue = true
    wake()
  }

  return {
    /** All that was saved is delivered, in memory, or on its way through the stream. */
    isDone: () => idle && !sweepDue && missed.size === 0,
    missed: miss,
    again,
    sweep(): void {
      sweepDue = true
      wake()
    },
    async run(): Promise<void> {
      while (!signal.aborted) {
        if (sweepDue) await sweep()
        else if (missed.size > 0) await reload()
        else {
          idle = true
          await new Promise<void>((resolve) => (wake = resolve))
          idle = false
        }
      }
    },
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
  })
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve())
  })

import type { Operation } from '../contract/contract.js'
import { onTheWire, type DeliveryFailure } from './events.js'
import { verdictOn } from './retries.js'
import type { EventSubscribers } from './subscribers.js'
import { fullName } from '../runtime/invocation.js'
import type { OutboxWriter, PendingEvent } from './outbox.js'
import { keyOf, type Aggregate } from './outboxReader.js'
import { failpoint } from '../lib/failpoints.js'
import type { System } from '../runtime/system.js'

/**
 * Delivers the events that it is given: those of one aggregate one after the other, those of different ones at the same
 * time. What it holds in memory is bounded; what it lets go of is still in the outbox, and comes again when it is read.
 */
export interface EventCourier {
  /** Takes events on, each aggregate's in order. What it knows already, or lets wait, is skipped. */
  offer(events: readonly PendingEvent[]): void
  hasRoom(): boolean
  /** Resolves when there is room for a page. */
  room(): Promise<void>
  /** Before each read of the outbox: what leaves from here on may still be in what the read answers. */
  beginRead(): void
  /** Lets an event that had failed be sent again. Answers its aggregate; undefined: it is not waiting here. */
  release(eventId: string): Aggregate | undefined
  /** The failed events that aggregates wait for. */
  waitingFor(): string[]
  /** Whether a subscriber is back that aggregates waited for: their events may be offered again. */
  releaseReturned(): boolean
  /** Sends nothing more; resolves when what is under way has ended. */
  stop(): Promise<void>
}

/** One aggregate's events in memory. */
interface Lane {
  key: string
  queue: PendingEvent[]
  /** Version of the last one taken on. */
  last: number
  /** Delivered, and not gone from the outbox yet. */
  unsettled: number
  /** A delivered event stays in its record until the record's last one is delivered too. */
  carries: boolean
}

/** Why an aggregate waits. */
interface HeldBack {
  aggregate: Aggregate
  /** It failed. */
  eventId?: string
  /** It is not available. */
  subscriber?: Operation
}

const MAX_IN_FLIGHT = 256
const MAX_QUEUED = 4000
const MAX_HELD = 200_000
/** A page of carriers has several events a document. */
const PAGE_ROOM = 2000

export function createEventCourier(options: {
  system: Pick<System, 'now' | 'log'>
  subscribers: EventSubscribers
  writer: OutboxWriter
  random?: () => number
  /** The outbox can't be written: whoever reads it has to begin again. */
  onBroken(error: unknown): void
}): EventCourier {
  const { system, subscribers, writer, onBroken, random = Math.random } = options
  const lanes = new Map<string, Lane>()
  const held = new Map<string, HeldBack>()
  /** Keys by the event that failed. */
  const failed = new Map<string, string>()
  /** Subscribers that aggregates wait for. */
  const away = new Set<Operation>()
  const gone = new Set<string>()
  /** Failures on their way into the outbox. */
  const recording = new Set<string>()
  const ready: Lane[] = []
  const underWay = new Set<Promise<void>>()
  const waiting: (() => void)[] = []
  let queued = 0
  let inFlight = 0
  let stopped = false

  function offer(events: readonly PendingEvent[]): void {
    for (const event of events) {
      const eventId = event._id.toHexString()
      if (gone.has(eventId) || recording.has(eventId)) continue
      const key = keyOf(event.aggregate)
      if (!event.isLocked) hold(key, { aggregate: event.aggregate, eventId })
      // It had failed, and whoever retries has locked it again.
      else if (held.get(key)?.eventId === eventId) letGo(key)
      take(key, event)
    }
    send()
  }

  function take(key: string, event: PendingEvent): void {
    if (held.has(key)) return
    let lane = lanes.get(key)
    if (!lane) {
      lane = { key, queue: [], last: -1, unsettled: 0, carries: false }
      lanes.set(key, lane)
    } else if (event.version <= lane.last) return
    lane.last = event.version
    lane.queue.push(event)
    queued++
    if (lane.queue.length === 1) ready.push(lane)
  }

  function send(): void {
    while (!stopped && inFlight < MAX_IN_FLIGHT && ready.length > 0) {
      const lane = ready.shift() as Lane
      inFlight++
      track(
        deliver(lane).finally(() => {
          inFlight--
          send()
        }),
      )
    }
    if (!hasRoom()) return
    for (const resume of waiting.splice(0)) resume()
  }

  function track(work: Promise<void>): void {
    const run = work.catch(onBroken).finally(() => underWay.delete(run))
    underWay.add(run)
  }

  /** The first event of a lane, which is in `ready` no more. */
  async function deliver(lane: Lane): Promise<void> {
    const event = lane.queue[0]
    if (!event) return
    const { aggregate } = event
    const news = onTheWire(event)
    const due = subscribers.of(news).filter((each) => !event.deliveredTo?.includes(fullName(each)))
    const missing = due.find((each) => !subscribers.available(each))
    if (missing) return hold(lane.key, { aggregate, subscriber: missing })

    await failpoint('event.tell.before')
    const answers = await Promise.all(due.map((each) => subscribers.tell(each, news)))
    await failpoint('event.tell.after')
    const failures = answers.filter((answer) => answer !== null)
    if (failures.length > 0) return fail(lane, event, { told: due.map(fullName), failures })

    lane.queue.shift()
    queued--
    if (lane.queue.length > 0) ready.push(lane)
    lane.carries = event.carried?.final === false
    if (!lane.carries) track(settle(lane, event))
  }

  async function fail(
    { key }: Lane,
    event: PendingEvent,
    attempt: { told: string[]; failures: DeliveryFailure[] },
  ): Promise<void> {
    const eventId = event._id.toHexString()
    // A read that begins before the failure is recorded still shows it locked.
    recording.add(eventId)
    hold(key, { aggregate: event.aggregate, eventId })
    const verdict = verdictOn(event, { ...attempt, at: system.now(), random })
    const about = { eventId, type: event.type, aggregate: key, failures: attempt.failures }
    if (verdict.retryAt) system.log.warn({ ...about, retryAt: verdict.retryAt }, 'an event was not delivered')
    else system.log.error(about, 'an event is a dead letter: an admin must look at it')
    await failpoint('event.fail.before')
    await writer.fail(event, verdict).finally(() => recording.delete(eventId))
    gone.add(eventId)
    await failpoint('event.fail.after')
  }

  async function settle(lane: Lane, event: PendingEvent): Promise<void> {
    lane.unsettled++
    await failpoint('event.settle.before')
    await writer.settle(event)
    await failpoint('event.settle.after')
    gone.add(event._id.toHexString())
    lane.unsettled--
    if (lane.queue.length + lane.unsettled === 0 && !lane.carries && lanes.get(lane.key) === lane)
      lanes.delete(lane.key)
  }

  /** Its events are let go of: they are in the outbox, in order, for when it is let go. */
  function hold(key: string, why: HeldBack): void {
    const lane = lanes.get(key)
    if (lane) {
      queued -= lane.queue.length
      lane.queue = []
      lanes.delete(key)
    }
    letGo(key)
    held.set(key, why)
    if (why.eventId) failed.set(why.eventId, key)
    if (why.subscriber) away.add(why.subscriber)
  }

  function letGo(key: string): void {
    const hold = held.get(key)
    held.delete(key)
    if (hold?.eventId) failed.delete(hold.eventId)
  }

  const hasRoom = (): boolean => queued < MAX_QUEUED - PAGE_ROOM && held.size < MAX_HELD

  return {
    offer,
    hasRoom,
    room: () => (hasRoom() || stopped ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
    beginRead: () => gone.clear(),
    release(eventId) {
      const key = failed.get(eventId)
      if (key === undefined) return undefined
      const { aggregate } = held.get(key) as HeldBack
      letGo(key)
      return aggregate
    },
    waitingFor: () => [...failed.keys()],
    releaseReturned() {
      const back = [...away].filter((each) => subscribers.available(each))
      if (back.length === 0) return false
      for (const each of back) away.delete(each)
      for (const [key, { subscriber }] of held) if (subscriber && !away.has(subscriber)) letGo(key)
      return true
    },
    async stop() {
      stopped = true
      for (const resume of waiting.splice(0)) resume()
      while (underWay.size > 0) await Promise.all(underWay)
    },
  }
}

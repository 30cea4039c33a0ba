import mongoose from 'mongoose'
import type { z } from 'zod'
import type { DomainEvents } from '../contract/events.js'
import type { Context } from '../runtime/function.js'
import type { System } from '../runtime/system.js'

type ObjectId = mongoose.Types.ObjectId

/**
 * Events: what happened to an entity, told to the functions of other domains that subscribe to it. An event is saved
 * with the change that it tells of, in one transaction (withEvents) or in the very document (carried), so there is never
 * one without the other; a dispatcher delivers it until every subscriber has answered, and then deletes it. So each is
 * delivered at least once, those of one aggregate in the order of their versions; it may come twice, and late.
 */
export interface DomainEvent<P = unknown> {
  eventId: string
  /** `<aggregate>:<what happened>`: `order:created`. */
  type: string
  /** The entity that changed. Its owner raises its version by 1 with each event. */
  aggregate: { type: string; id: string }
  version: number
  /** JSON, as contracts present the entity: made from what was saved, not from what was sent in. */
  payload: P
  createdAt: string
}

/** What a record says of its own change, in the words of its domain's contract. `E`: what the domain emits. */
export type Carried<E extends DomainEvents> = {
  [T in keyof E['types'] & string]: {
    type: T
    /** The entity's own, after the change. */
    version: number
    payload: z.input<E['types'][T]['payload']>
  }
}[keyof E['types'] & string]

/** What a function says of a change; the rest of the event is made here. */
export type Emitted<E extends DomainEvents> = Carried<E> & { aggregate: { type: string; id: ObjectId | string } }

/** An attempt at a delivery that failed. */
export interface DeliveryFailure {
  at: Date
  /** `<domain>.<operation>` */
  subscriber: string
  code: string
  message: string
  /** The log of the subscriber's process has all of it under this. */
  requestId: string
  /** What it comes of, where the message does not say it. For admins: it may tell what the entity holds. */
  cause?: string
}

/** An event as it stands in the collection `events` of its domain's database. */
export interface StoredEvent {
  _id: ObjectId
  type: string
  aggregate: { type: string; id: ObjectId }
  version: number
  /** JSON, as text: to the server one value, which costs the writes of a record that carries it nothing. */
  payload: string
  /** With the dispatcher; false: it failed, and waits until it is due again. */
  isLocked: boolean
  failures: DeliveryFailure[]
  createdAt: Date
  /** Subscribers that have answered: they are not told again where another one failed. */
  deliveredTo?: string[]
  /** Failed: when it is due again. */
  retryAt?: Date
  /** A dead letter since: waits for an admin. */
  deadAt?: Date
  /** A dead letter that nobody was told of yet: when to. */
  alertAt?: Date
}

export const EVENTS = 'events'

/** A transaction of one domain's database. */
export interface EventTransaction<E extends DomainEvents> {
  /** For every read and write of the work. */
  session: mongoose.mongo.ClientSession
  emit(event: Emitted<E>): void
}

type Ctx = Pick<Context, 'config' | 'now' | 'newId'>

/**
 * Changes and their events in one transaction of the domain's database: all of it is saved, or nothing. `work` may run
 * again when it meets another transaction, so it makes its documents inside and has no other effects. What it throws
 * aborts; an error of the commit itself may leave the outcome unknown, as with any write.
 */
export async function withEvents<R, E extends DomainEvents>(
  ctx: Ctx & Pick<Context, 'use'>,
  emits: E,
  work: (tx: EventTransaction<E>) => Promise<R>,
): Promise<R> {
  const connection = ctx.use(databasesOf).connection(emits.domain)
  let result: R | undefined
  await connection.transaction(
    async (session) => {
      const events: StoredEvent[] = []
      result = await work({ session, emit: (event) => void events.push(stored(emits, event, ctx)) })
      if (events.length > 0) await connection.collection<StoredEvent>(EVENTS).insertMany(events, { session })
    },
    { readConcern: { level: 'snapshot' }, writeConcern: { w: 'majority' } },
  )
  return result as R
}

const databasesOf = (system: System): System['databases'] => system.databases

const stored = (emits: DomainEvents, event: Emitted<DomainEvents>, ctx: Ctx): StoredEvent => ({
  ...carriedEvent(emits, event, ctx),
  aggregate: { type: event.aggregate.type, id: new mongoose.Types.ObjectId(event.aggregate.id) },
  isLocked: true,
  failures: [],
})

/** An event in the record that it tells of; what it leaves out is the same for all of the record's. */
export type CarriedEvent = Pick<StoredEvent, '_id' | 'type' | 'version' | 'payload' | 'createdAt'> & {
  /** The record emits no more after it: its outbox goes when this one is delivered. */
  final?: true
}

/**
 * For records whose own update can carry the event, in the array `outbox`: no transaction, and one write more in all,
 * which empties the outbox after the record's final event was delivered. Whoever carries raises the record's `eventVersion`
 * in the same write (its `version` is what clients read and guard by). The contract names the collection in `carriers`, and an index finds what is not delivered:
 * {createdAt: 1, _id: 1} where `outbox` exists.
 */
export const carriedEvent = <E extends DomainEvents>(
  emits: E,
  { type, version, payload }: Carried<E>,
  ctx: Ctx,
  { final = false } = {},
): CarriedEvent => ({
  _id: new mongoose.Types.ObjectId(ctx.newId()),
  type,
  version,
  payload: textOf(emits, type, payload, ctx),
  createdAt: ctx.now(),
  ...(final && { final }),
})

/** In development and tests what an event says must be what its contract promises. */
function textOf(emits: DomainEvents, type: string, payload: unknown, { config }: Ctx): string {
  const text = JSON.stringify(payload)
  if (!config.development) return text
  const spec = emits.types[type]
  if (!spec) throw new Error(`${emits.domain} has no ${type} in its contract`)
  const broken = spec.payload.safeParse(JSON.parse(text)).error
  if (broken) throw new Error(`${type} does not say what its contract promises: ${broken.message}`)
  return text
}

/** What subscribers get. */
export const onTheWire = ({ _id, type, aggregate, version, payload, createdAt }: StoredEvent): DomainEvent => ({
  eventId: _id.toHexString(),
  type,
  aggregate: { type: aggregate.type, id: aggregate.id.toHexString() },
  version,
  payload: JSON.parse(payload) as unknown,
  createdAt: createdAt.toISOString(),
})

import mongoose, { type QueryFilter, type Types } from 'mongoose'
import { coalesce } from '../../platform/lib/coalesce.js'
import { Refusal, type BookableKinds } from '../../platform/contract/errors.js'
import { bytesOf } from '../../platform/database/bytes.js'
import { field, listOf, type Field } from '../../platform/database/fields.js'
import type { ModelDefinition } from '../../platform/database/model.js'
import type { Context } from '../../platform/runtime/function.js'
import { requestOf } from '../../platform/runtime/requests.js'
import { sharedTrips } from '../../platform/runtime/sharedTrips.js'
import type { System } from '../../platform/runtime/system.js'
import type { Violation } from '../../protocol/audit.js'
import { tidyAll, type Memory, type Tidied } from '../../protocol/forgetting.js'
import { memoryFields } from '../../protocol/fields.js'
import { mongoStore } from '../../protocol/mongoStore.js'
import { BOOKING_PLACES, participant, type Participant, type ParticipantRules } from '../../protocol/participant.js'
import { FINAL, isOutstanding } from '../../protocol/states.js'
import type { Filter, Period } from '../../protocol/store.js'
import { Booking, type BookingDocument } from './booking.model.js'
import type { AuditedThing, Draft } from './kinds/kind.js'
import { assertRemembersMore } from './memory.rules.js'

const { ObjectId } = mongoose.Types

/** What the things to book that live in this domain have in common, whatever their kind. */

/** What a thing remembers of a booking whose effect stands. */
export interface ThingRecord {
  _id: Types.ObjectId
}

export interface ThingDocument<R extends ThingRecord = ThingRecord> {
  _id: Types.ObjectId
  retired: boolean
  /** The protocol's three places (protocol.md); the active records carry what they hold. */
  bookings: R[]
  pendingBookings: Types.ObjectId[]
  tombstones: Types.ObjectId[]
  /** Bookings created before this are refused as void: their markers may be gone. */
  forgottenBefore: Date
  version: number
  request: { by: string; hash: string }
  createdAt: Date
  updatedAt: Date
}

/** For the model of a kind, beside its own fields. */
export const thingFields = <R extends ThingRecord>(record: Field<R>) => ({
  retired: field.flag,
  bookings: listOf(record),
  ...memoryFields,
  version: field.count,
  request: field.request,
  createdAt: field.date,
  updatedAt: field.date,
})

/** A new thing, with nothing booked. */
export function newThing(ctx: Context, id: string, input: object): Omit<ThingDocument, 'bookings'> & { bookings: [] } {
  const at = ctx.now()
  return {
    _id: new ObjectId(id),
    retired: false,
    bookings: [],
    pendingBookings: [],
    tombstones: [],
    forgottenBefore: new Date(0),
    version: 0,
    request: requestOf(ctx, input),
    createdAt: at,
    updatedAt: at,
  }
}

/** What every thing shows: `thingShape` of its contract. */
export const presentThing = ({ _id, retired, version, createdAt, updatedAt }: Omit<ThingDocument, 'bookings'>) => ({
  id: _id.toHexString(),
  retired,
  version,
  createdAt: createdAt.toISOString(),
  updatedAt: updatedAt.toISOString(),
})

/** The participant of the booking protocol that such a thing is. */
export function thingParticipant<B extends BookingDocument, T extends ThingDocument>(
  system: System,
  model: ModelDefinition<T>,
  rules: ParticipantRules<B>,
): Participant<B> {
  const store = mongoStore<T>(system.model(model).collection, {
    projection: { 'bookings._id': 1, pendingBookings: 1, tombstones: 1, forgottenBefore: 1 },
    timeoutMs: system.config.deadlinesMs.write,
  })
  return participant(store, rules)
}

/** Of such a thing, `holders` of its kind: `overlaps` says which bookings are in the way of this one at all. */
export const thingHolders =
  <B extends BookingDocument, T extends ThingDocument>(
    name: keyof BookableKinds,
    model: ModelDefinition<T>,
    overlaps: (booking: B) => Filter,
  ) =>
  async (system: System, booking: B): Promise<Filter | null> => {
    const thing = await system
      .model(model)
      .collection.findOne<Pick<T, 'pendingBookings'>>(
        { _id: idOfThing(name, booking) },
        { projection: { pendingBookings: 1 } },
      )
    return thing?.pendingBookings.length ? { _id: { $in: thing.pendingBookings }, ...overlaps(booking) } : null
  }

const idOfThing = (name: keyof BookableKinds, booking: object): Types.ObjectId =>
  (booking as Record<string, Types.ObjectId>)[`${name}Id`] as Types.ObjectId

/** What every rule of such a participant has: beside these, what the booking holds and what must be free. */
export function thingRules<B extends BookingDocument>(name: keyof BookableKinds, { now }: Pick<System, 'now'>) {
  const touch = () => ({ $set: { updatedAt: now() } })
  return {
    name: `${name.charAt(0).toUpperCase()}${name.slice(1)}`,
    documentId: (booking: B) => idOfThing(name, booking),
    places: THING_PLACES,
    take: touch,
    giveBack: touch,
    reverse: touch,
  }
}

const THING_PLACES = { ...BOOKING_PLACES, activeId: 'bookings._id' }

type Terms<T, F extends keyof T> = Pick<T, F> & { _id: Types.ObjectId; bytes: number }

/** What a booking needs to know of its thing beforehand; null where there is none. Reads asked for together share a round trip. */
export const thingTerms =
  <T extends ThingDocument, F extends keyof T & string>(model: ModelDefinition<T>, fields: readonly F[]) =>
  (system: System): ((id: string) => Promise<Terms<T, F> | null>) =>
    coalesce<string, Terms<T, F> | null>(
      async (asked) => {
        const unique = [...new Set(asked)].map((each) => new ObjectId(each))
        const projection = { ...Object.fromEntries(fields.map((each) => [each, 1])), ...bytesOf }
        const found = await system
          .model(model)
          .collection.find<Terms<T, F>>({ _id: { $in: unique } }, { projection })
          .toArray()
        const byId = new Map(found.map((thing) => [thing._id.toHexString(), thing]))
        return asked.map((each) => byId.get(each) ?? null)
      },
      sharedTrips(system, 'What is to be booked'),
    )

/**
 * Also in an apply's filter: nothing is booked that begins before the mark, because what ended before it may be forgotten,
 * and so may have been there at that time. What began later than the mark overlaps nothing that was forgotten.
 */
export const notForgotten = ({ createdAt, from }: Pick<BookingDocument, 'createdAt' | 'from'>) => ({
  forgottenBefore: { $lte: from < createdAt ? from : createdAt },
})

/** What all kinds of such things do alike: the rest says what of a thing a booking takes, when, and for how much. */
export function thingKind<B extends BookingDocument, T extends ThingDocument, F extends keyof T & string>(
  name: keyof BookableKinds,
  {
    model,
    reads,
    draft,
    fields = [],
  }: {
    model: ModelDefinition<T>
    /** What of a thing its booking must know beforehand. */
    reads: readonly F[]
    draft(thing: Pick<T, F>, period: Period): Omit<Draft<B>, `${keyof BookableKinds}Id`>
    fields?: readonly string[]
  },
) {
  const idField = `${name}Id`
  const terms = thingTerms(model, ['retired', ...reads])
  return {
    async draft(ctx: Context, { from, to, ...input }: { from: string; to: string }): Promise<Draft<B>> {
      const id = (input as Record<string, string>)[idField] as string
      const thing = await ctx.use(terms)(id)
      if (!thing) throw new Refusal(`${name}_not_found`, `There is no ${name} ${id}.`)
      if (thing.retired) throw new Refusal(`${name}_retired`, `The ${name} takes no new bookings.`)
      assertRemembersMore(ctx, name, thing.bytes)
      return { [idField]: thing._id, ...draft(thing, { from: new Date(from), to: new Date(to) }) } as Draft<B>
    },
    costsBy: 'to',
    fields: [idField, ...fields],
    present: (booking: B) => ({ [idField]: String((booking as unknown as Record<string, unknown>)[idField]) }),
  }
}

// --- audit

/** How auditBooks reads such things: `check` says what is wrong with one alone. */
export function auditThings<T extends ThingDocument>(
  model: ModelDefinition<T>,
  check: (thing: T) => Violation[],
  more: Record<string, 1> = {},
) {
  const fields = { bookings: 1, pendingBookings: 1, tombstones: 1, forgottenBefore: 1, ...more }
  const audited = (thing: T): AuditedThing<T['bookings'][number] & { id: string }> => {
    const { _id, bookings, pendingBookings, tombstones, forgottenBefore } = thing
    const records = bookings.map((each) => ({ ...each, id: String(each._id) }))
    return {
      id: _id.toHexString(),
      records,
      markers: [...records.map(({ id }) => id), ...pendingBookings.map(String), ...tombstones.map(String)],
      forgottenBefore,
      violations: check(thing),
    }
  }
  return {
    async *all(ctx: Context) {
      const things = ctx.model(model).find({}, fields).lean().batchSize(20).cursor()
      for await (const thing of things) yield audited(thing as unknown as T)
    },
    async find(ctx: Context, asked: string[]) {
      const $in = asked.map((each) => new ObjectId(each))
      const found = (await ctx
        .model(model)
        .find({ _id: { $in } } as QueryFilter<T>, fields)
        .lean()) as unknown as T[]
      return found.map(audited)
    },
  }
}

// --- forgetting

/** One sweep over such things: clears leftover markers, forgets what ended or was taken back more than a day ago. */
export function tidyThings<R extends ThingRecord, T extends ThingDocument<R>>(
  ctx: Context,
  model: ModelDefinition<T>,
  { idField, isOver }: { idField: string } & Required<Pick<Memory<R>, 'isOver'>>,
): Promise<Tidied> {
  const things = ctx.model(model)
  const fields = { bookings: 1, pendingBookings: 1, tombstones: 1 }
  const untidy = Object.keys(fields).map((place) => ({ [`${place}.0`]: { $exists: true } }))
  const found = things.find({ $or: untidy }, fields).sort({ _id: 1 }).lean().batchSize(20).cursor()
  const memory: Memory<R> = {
    places: BOOKING_PLACES,
    settled: (ids, before) =>
      idsOfBookings(ctx, {
        _id: { $in: ids.map((each) => new ObjectId(each)) },
        state: { $in: [...FINAL] },
        ...(before && { createdAt: { $lt: before } }),
      }),
    isOver,
  }
  return tidyAll<T>(
    ctx,
    {
      collection: things.collection,
      memories: [memory],
      async waiting(page, mark) {
        const outstanding = await ctx
          .model(Booking)
          .find(
            { [idField]: { $in: page.map(({ _id }) => _id) }, ...isOutstanding, createdAt: { $lt: mark } },
            { [idField]: 1 },
          )
          .lean()
        return new Set(outstanding.map((booking) => String((booking as unknown as Record<string, unknown>)[idField])))
      },
    },
    found as unknown as AsyncIterable<T>,
  )
}

async function idsOfBookings(ctx: Context, filter: object): Promise<ReadonlySet<string>> {
  const found = await ctx.model(Booking).find(filter, { _id: 1 }).lean()
  return new Set(found.map(({ _id }) => String(_id)))
}

import { field, recordOf } from '../../platform/database/fields.js'
import type { BookableKinds } from '../../platform/contract/errors.js'
import type { ModelDefinition } from '../../platform/database/model.js'
import type { System } from '../../platform/runtime/system.js'
import { violation, type Violation } from '../../protocol/audit.js'
import type { ParticipantRules } from '../../protocol/participant.js'
import type { Period } from '../../protocol/store.js'
import type { BookingDocument } from './booking.model.js'
import type { AuditedRecord, Kind } from './kinds/kind.js'
import {
  auditThings,
  notForgotten,
  thingFields,
  thingHolders,
  thingKind,
  thingParticipant,
  thingRules,
  tidyThings,
  type ThingDocument,
  type ThingRecord,
} from './thing.kinds.js'

/** Things that one booking holds at a time, for its period: cars. */

export interface PeriodRecord extends ThingRecord, Period {}
export type PeriodThing = ThingDocument<PeriodRecord>

/** For the model of such a kind, beside its own fields. */
export const periodFields = thingFields(recordOf<PeriodRecord>({ _id: field.id, from: field.date, to: field.date }))

/** Such a kind, by what a booking of it costs: `reads` are the fields of the thing that the price follows from. */
export function periodKind<T extends PeriodThing, F extends keyof T & string>(
  name: keyof BookableKinds,
  {
    model,
    reads,
    cost,
  }: { model: ModelDefinition<T>; reads: readonly F[]; cost(thing: Pick<T, F>, of: Period): number },
): Kind<BookingDocument, { from: string; to: string }, AuditedRecord & Period> {
  return {
    ...thingKind(name, { model, reads, draft: (thing, period) => ({ ...period, cost: cost(thing, period) }) }),
    participant: (system) => thingParticipant(system, model, periodRules(name)(system)),
    holders: thingHolders(name, model, ({ from, to }) => ({ from: { $lt: to }, to: { $gt: from } })),
    refusalText: `The ${name} is booked for an overlapping period, or retired.`,
    audit: {
      ...auditThings(model, overlapsOf),
      differs: (booking, { from, to }) =>
        Number(from) === Number(booking.from) && Number(to) === Number(booking.to) ? undefined : 'holds another period',
    },
    tidy: (ctx) => tidyThings(ctx, model, { idField: `${name}Id`, isOver: ({ to }: PeriodRecord, mark) => to < mark }),
  }
}

/** What a booking does to such a thing, and what it takes: that nothing else overlaps is in the write that takes it. */
export const periodRules =
  (name: keyof BookableKinds) =>
  <B extends BookingDocument>(system: Pick<System, 'now'>): ParticipantRules<B> => ({
    ...thingRules<B>(name, system),
    record: ({ _id, from, to }) => ({ _id, from, to }),
    can: (booking) => ({ retired: false, ...notForgotten(booking) }),
    free: ({ from, to }) => ({ array: 'bookings', period: { from, to } }),
  })

/** The active bookings of a thing never overlap. */
function overlapsOf({ _id, bookings }: PeriodThing): Violation[] {
  const byStart = [...bookings].sort((a, b) => Number(a.from) - Number(b.from))
  return byStart.slice(1).flatMap((next, i) => {
    const previous = byStart[i]
    return previous && previous.to > next.from
      ? [violation('no_overlap', String(_id), `${String(previous._id)} and ${String(next._id)}`)]
      : []
  })
}

/** How many such lengths of time the period has begun. */
export const startedUnits = ({ from, to }: Period, unitMs: number): number =>
  Math.ceil((to.getTime() - from.getTime()) / unitMs)

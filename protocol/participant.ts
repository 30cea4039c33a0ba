import { failpoint } from '../platform/lib/failpoints.js'
import { Unknown, type Change, type Filter, type GuardedUpdate, type Id, type Landed, type Store } from './store.js'

/** What a participant must know of a booking. */
export interface Held {
  _id: Id
  createdAt: Date
  /** A reversal: the booking that it takes back, and when that was created. */
  reverses?: Id
  originalCreatedAt?: Date
}

/** What a participant's document must have: the mark of forgetting, beside the three places. */
export interface ParticipantDocument {
  _id: Id
  forgottenBefore: Date
}

/**
 * The fields of protocol.md's three places. What has ids that clients may choose, and could choose alike, has places of
 * its own: a booking must never be taken for applied because a payment has its id.
 */
export interface Places {
  active: string
  /** The path of the ids in the active records: the field itself (plain ids) or its `_id`. */
  activeId: string
  pending: string
  tombstones: string
}

export const BOOKING_PLACES = { active: 'bookings', pending: 'pendingBookings', tombstones: 'tombstones' }

/**
 * What one kind of participant adds to the protocol: who it is, when it can, and its two updates, there and back.
 * Everything else (not seen before, markers, tombstones, what an unmatched write means) is the same for all.
 */
export interface ParticipantRules<B extends Held> {
  /** For the names of failpoints and steps: `User`. */
  name: string
  documentId(booking: B): Id
  places: Places
  record(booking: B): unknown
  /** What it takes to hold it, beyond not having seen it: goes into the filter of the apply. */
  can(booking: B): Filter
  take(booking: B): Change
  /** For what holds periods: the period that must be free, among the active records. `take` only sets then. */
  free?(booking: B): GuardedUpdate['free']
  /** Takes `take` back, of a booking that is being cancelled. */
  giveBack(booking: B): Change
  /** Takes the original's `take` back, for its reversal. */
  reverse(reversal: B): Change
}

/** refused: it cannot be held now. void: it must never be (cancelled meanwhile, or older than memory reaches). */
export type Vote = 'ok' | 'refused' | 'void'

/** The protocol's steps on one participant. Each may be sent any number of times, and may land late; see protocol.md. */
export interface Participant<B extends Held> {
  apply(booking: B): Promise<Vote>
  /** After the decision is majority, by anyone, at any time. */
  clear(booking: B): Promise<void>
  /** Only by the first owner, with every outcome known: leaves no tombstone, since nothing can land late. */
  undo(booking: B): Promise<void>
  /** Every other cancellation: afterwards no late apply can land. */
  void(booking: B): Promise<void>
  reverse(reversal: B): Promise<void>
}

export function participant<B extends Held, P extends ParticipantDocument>(
  store: Store<P>,
  rules: ParticipantRules<B>,
): Participant<B> {
  const { places } = rules
  const { pending, tombstones } = places
  const active = (id: Id): Filter => ({ [places.activeId]: id })
  const notActive = (id: Id): Filter => ({ [places.activeId]: { $ne: id } })
  const pullActive = (id: Id) => ({ [places.active]: places.activeId === places.active ? id : { _id: id } })

  async function betweenPoints<R>(step: string, send: (name: string) => Promise<R>): Promise<R> {
    const name = `${step}${rules.name}`
    await failpoint(`${name}.before`)
    const answer = await send(name)
    await failpoint(`${name}.after`)
    return answer
  }

  /** Every write but a clear is one guarded update of one document, majority. */
  const write = (
    step: string,
    booking: B,
    guard: Filter,
    change: Change,
    free?: GuardedUpdate['free'],
  ): Promise<Landed<P>> =>
    betweenPoints(step, (name) =>
      store.update(name, { id: rules.documentId(booking), guard, change, free }, 'majority'),
    )

  return {
    async apply(b) {
      const landed = await write(
        'apply',
        b,
        {
          // A participant never forgets a booking it has seen: all three places fence off a second or a late apply.
          [pending]: { $ne: b._id },
          ...notActive(b._id),
          [tombstones]: { $ne: b._id },
          forgottenBefore: { $lte: b.createdAt },
          ...rules.can(b),
        },
        merge({ $push: { [pending]: b._id, [places.active]: rules.record(b) } }, rules.take(b)),
        rules.free?.(b),
      )
      return landed.matched ? 'ok' : voteSeen(b, landed.seen, places)
    },

    async clear(b) {
      await betweenPoints('clear', (name) =>
        store.pull(name, { id: rules.documentId(b), field: pending, value: b._id }),
      )
    },

    async undo(b) {
      await write(
        'undo',
        b,
        active(b._id),
        merge({ $pull: { ...pullActive(b._id), [pending]: b._id } }, rules.giveBack(b)),
      )
    },

    async void(b) {
      // Active: give back and bury. Not active: bury alone. A late apply may land between the two: then neither
      // matched, and the first one is due again; a tombstone ends it.
      for (;;) {
        const gaveBack = await write(
          'void',
          b,
          active(b._id),
          merge(
            { $pull: { ...pullActive(b._id), [pending]: b._id }, $addToSet: { [tombstones]: b._id } },
            rules.giveBack(b),
          ),
        )
        if (buried(b, gaveBack, places)) return
        const fenced = await write('fence', b, notActive(b._id), {
          $pull: { [pending]: b._id },
          $addToSet: { [tombstones]: b._id },
        })
        if (buried(b, fenced, places)) return
      }
    },

    async reverse(r) {
      const original = r.reverses as Id
      const landed = await write(
        'reverse',
        r,
        {
          [pending]: { $ne: r._id },
          [tombstones]: { $ne: r._id },
          forgottenBefore: { $lte: r.createdAt },
          // The original's record may be forgotten; that it is COMMITTED, and `reverses` unique, then stands for it.
          $or: [active(original), { forgottenBefore: { $gt: r.originalCreatedAt } }],
        },
        merge(
          {
            $pull: pullActive(original),
            $push: { [pending]: r._id },
            $addToSet: { [tombstones]: { $each: [original, r._id] } },
          },
          rules.reverse(r),
        ),
      )
      // A reversal is never refused: whoever drives it comes again.
      if (!landed.matched && !reversalSeen(r, landed.seen, places))
        throw new Unknown('the original is not there to reverse, yet')
      // One update cannot pull from and push to the pending ones; the original's leftover marker goes as any clear does.
      await write('clearOriginal', r, { [pending]: original }, { $pull: { [pending]: original } })
    },
  }
}

/** What an unmatched apply means, by what a majority read after it saw. */
function voteSeen(b: Held, seen: ParticipantDocument | null, places: Places): Vote {
  if (!seen) return 'refused'
  if (has(seen, places.tombstones, b._id)) return 'void'
  if (has(seen, places.pending, b._id) || has(seen, places.active, b._id)) return 'ok'
  return b.createdAt < seen.forgottenBefore ? 'void' : 'refused'
}

const buried = (b: Held, landed: Landed<ParticipantDocument>, { tombstones }: Places): boolean =>
  landed.matched || !landed.seen || has(landed.seen, tombstones, b._id)

const reversalSeen = (r: Held, seen: ParticipantDocument | null, { pending, tombstones }: Places): boolean =>
  !!seen && (has(seen, tombstones, r._id) || has(seen, pending, r._id) || has(seen, tombstones, r.reverses as Id))

/** A place that nothing was ever put into may be missing. */
function has(seen: ParticipantDocument, place: string, id: Id): boolean {
  const records = (seen as unknown as Record<string, (Id | { _id: Id })[] | undefined>)[place] ?? []
  return records.some((each) => id.equals('_id' in each ? each._id : each))
}

/** Joins two updates operator by operator. */
function merge(a: Change, b: Change): Change {
  const joined: Change = { ...a }
  for (const [operator, fields] of Object.entries(b)) joined[operator] = { ...joined[operator], ...fields }
  return joined
}

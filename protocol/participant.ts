import { point } from '../platform/points.js'
import { Unknown, type Change, type Filter, type Id, type Landed, type Store } from './store.js'

/** What a participant must know of a booking. */
export interface Held {
  _id: Id
  createdAt: Date
  /** A reversal: the booking that it takes back, and when that was created. */
  reverses?: Id
  originalCreatedAt?: Date
}

/** What a participant's document must have: protocol.md's three places, and the mark of forgetting. */
export interface ParticipantDocument {
  _id: Id
  bookings: (Id | { _id: Id })[]
  pendingBookings: Id[]
  tombstones: Id[]
  forgottenBefore: Date
}

/**
 * What one kind of participant adds to the protocol: who it is, when it can, and its two updates, there and back.
 * Everything else (not seen before, markers, tombstones, what an unmatched write means) is the same for all.
 */
export interface ParticipantRules<B extends Held> {
  /** For the names of fault points and steps: `User`. */
  name: string
  documentId(booking: B): Id
  /** Path of the booking ids in the active records: `bookings` (plain ids) or `bookings._id`. */
  activePath: 'bookings' | 'bookings._id'
  record(booking: B): unknown
  /** What it takes to hold it, beyond not having seen it: goes into the filter of the apply. */
  can(booking: B): Filter
  take(booking: B): Change
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
  const { activePath } = rules
  const active = (id: Id): Filter => ({ [activePath]: id })
  const notActive = (id: Id): Filter => ({ [activePath]: { $ne: id } })
  const pullActive = (id: Id) => (activePath === 'bookings' ? id : { _id: id })

  /** Every write is one guarded update of one document, between two fault points. */
  async function write(step: string, booking: B, guard: Filter, change: Change): Promise<Landed<P>> {
    const name = `${step}${rules.name}`
    await point(`${name}.before`)
    const landed = await store.update(name, { id: rules.documentId(booking), guard, change }, 'majority')
    await point(`${name}.after`)
    return landed
  }

  return {
    async apply(b) {
      const landed = await write(
        'apply',
        b,
        {
          // A participant never forgets a booking it has seen: all three places fence off a second or a late apply.
          pendingBookings: { $ne: b._id },
          ...notActive(b._id),
          tombstones: { $ne: b._id },
          forgottenBefore: { $lte: b.createdAt },
          ...rules.can(b),
        },
        merge({ $push: { pendingBookings: b._id, bookings: rules.record(b) } }, rules.take(b)),
      )
      return landed.matched ? 'ok' : voteSeen(b, landed.seen)
    },

    async clear(b) {
      await write('clear', b, { pendingBookings: b._id }, { $pull: { pendingBookings: b._id } })
    },

    async undo(b) {
      await write(
        'undo',
        b,
        active(b._id),
        merge({ $pull: { bookings: pullActive(b._id), pendingBookings: b._id } }, rules.giveBack(b)),
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
            { $pull: { bookings: pullActive(b._id), pendingBookings: b._id }, $addToSet: { tombstones: b._id } },
            rules.giveBack(b),
          ),
        )
        if (buried(b, gaveBack)) return
        const fenced = await write('fence', b, notActive(b._id), {
          $pull: { pendingBookings: b._id },
          $addToSet: { tombstones: b._id },
        })
        if (buried(b, fenced)) return
      }
    },

    async reverse(r) {
      const original = r.reverses as Id
      const landed = await write(
        'reverse',
        r,
        {
          pendingBookings: { $ne: r._id },
          tombstones: { $ne: r._id },
          forgottenBefore: { $lte: r.createdAt },
          // The original's record may be forgotten; that it is COMMITTED, and `reverses` unique, then stands for it.
          $or: [active(original), { forgottenBefore: { $gt: r.originalCreatedAt } }],
        },
        merge(
          {
            $pull: { bookings: pullActive(original) },
            $push: { pendingBookings: r._id },
            $addToSet: { tombstones: { $each: [original, r._id] } },
          },
          rules.reverse(r),
        ),
      )
      // A reversal is never refused: whoever drives it comes again.
      if (!landed.matched && !reversalSeen(r, landed.seen))
        throw new Unknown('the original is not there to reverse, yet')
      // One update cannot pull from and push to pendingBookings; the original's leftover marker goes as any clear does.
      await write('clearOriginal', r, { pendingBookings: original }, { $pull: { pendingBookings: original } })
    },
  }
}

/** What an unmatched apply means, by what a majority read after it saw. */
function voteSeen(b: Held, seen: ParticipantDocument | null): Vote {
  if (!seen) return 'refused'
  if (includes(seen.tombstones, b._id)) return 'void'
  if (includes(seen.pendingBookings, b._id) || includes(seen.bookings, b._id)) return 'ok'
  return b.createdAt < seen.forgottenBefore ? 'void' : 'refused'
}

const buried = (b: Held, landed: Landed<ParticipantDocument>): boolean =>
  landed.matched || !landed.seen || includes(landed.seen.tombstones, b._id)

const reversalSeen = (r: Held, seen: ParticipantDocument | null): boolean =>
  !!seen &&
  (includes(seen.tombstones, r._id) ||
    includes(seen.pendingBookings, r._id) ||
    includes(seen.tombstones, r.reverses as Id))

const includes = (places: (Id | { _id: Id })[], id: Id): boolean =>
  places.some((each) => id.equals('_id' in each ? each._id : each))

/** Joins two updates operator by operator. */
function merge(a: Change, b: Change): Change {
  const joined: Change = { ...a }
  for (const [operator, fields] of Object.entries(b)) joined[operator] = { ...joined[operator], ...fields }
  return joined
}

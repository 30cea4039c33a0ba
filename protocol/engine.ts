import { setTimeout as sleep } from 'node:timers/promises'
import { failpoint } from '../platform/lib/failpoints.js'
import type { Held, Participant } from './participant.js'
import { isFinal, isOutstanding, type State } from './states.js'
import { Unknown, type Change, type Durability, type Filter, type Id, type Store } from './store.js'

/** What the engine must find in a booking, of whatever kind. */
export interface EngineBooking extends Held {
  state: State
  epoch: number
  reason?: string
  recoveries: number
  parked: boolean
  repairs: Repair[]
  lastModified: Date
}

export interface Repair {
  at: Date
  /** Which executor took over: `owner` (after an unknown outcome), `recovery`, `cancelBooking`, ... */
  by: string
  from: State
  why: string
}

/** A participant that can refuse, and what its refusal is called. */
export interface Voter<B extends Held> extends Participant<B> {
  refusal: string
}

/**
 * One execution of one call, holding a booking at an epoch. `clean`: the first owner, with every outcome known so far
 * and one attempt each; only such an executor may undo without tombstones.
 */
interface Tenure {
  epoch: number
  clean: boolean
  /** Where to take it: to its end, or below APPLIED back out. */
  cancel?: string
  /** Stop as soon as it is there: moves a booking by one step. */
  until?: State
  deadlineAt: number
}

/** Somebody else moved the booking or took it over. Whoever learns that sends nothing more. */
class Superseded extends Error {}

/** The executor ran out of time; the booking's outcome is unknown to it and recovery will drive it on. */
export class OutOfTime extends Error {
  override readonly name = 'OutOfTime'
}

/** A reversal could not be inserted because another booking that is outstanding is in its way. */
export class Outstanding<B = unknown> extends Error {
  override readonly name = 'Outstanding'
  constructor(readonly outstanding: B | undefined) {
    super('another booking is outstanding')
  }
}

export interface EngineOptions<B extends EngineBooking> {
  store: Store<B>
  /** Who can refuse this booking. In order of precedence: when several refuse, the first one's refusal is the reason. */
  votersOf(booking: B): Voter<B>[]
  /**
   * Who only receives by it, without a say: applied after the decision, because what is credited earlier could be spent
   * before it is taken back. So it is never undone, and a booking that has receivers cannot be reversed.
   */
  receiversOf?(booking: B): Participant<B>[]
  /** What the write of a move carries besides: events of the booking as it leaves it. */
  carries?(moved: B): Change
  now(): Date
  /** A new reversal of a COMMITTED booking: INITIAL, epoch 1. It is inserted as started. */
  reversalOf(original: B): B
  /**
   * Where an index lets only one of some bookings be outstanding: which ones those are, of which this is one. Left out
   * where any number may be.
   */
  rivalsOf?(original: B): Filter
  /** Waits before it looks again. Where whoever drives many executors by hand decides when one goes on. */
  pause?(ms: number): Promise<void>
}

/**
 * The booking protocol (protocol.md): two-phase commit over single-document atomicity, each transition a
 * compare-and-set on (state, epoch). Every executor (the first owner, recovery, a canceller, an admin) is the same loop
 * from the state it finds; they differ only in how they came to hold the booking.
 */
export type Engine<B extends EngineBooking> = ReturnType<typeof createEngine<B>>

export function createEngine<B extends EngineBooking>({
  store,
  votersOf,
  receiversOf = () => [],
  carries = () => ({}),
  now,
  reversalOf,
  rivalsOf,
  pause = sleep,
}: EngineOptions<B>) {
  /**
   * Registers a booking and drives it to its end. `duplicate`: an index refused the insert; nothing was stored by it.
   * Inserted as started: insert and start in one write, which nobody can come in between of.
   */
  async function create(booking: B, deadlineAt: number): Promise<B | 'duplicate'> {
    const started = asStarted(booking)
    return (await insert(started)) === 'duplicate' ? 'duplicate' : drive(started, own(deadlineAt))
  }

  const asStarted = (booking: B): B => ({ ...booking, state: 'PENDING' })

  /**
   * The two halves of `create`, for callers who are answered in between: the booking is registered for good, and somebody
   * must `begin` it; recovery does where its owner died.
   */
  const register = (booking: B): Promise<'inserted' | 'duplicate'> => insert(booking)
  const begin = (booking: B, deadlineAt: number): Promise<B> => drive(booking, own(deadlineAt))

  async function insert(booking: B): Promise<'inserted' | 'duplicate'> {
    await failpoint('insert.before')
    const inserted = await store.insert(booking, 'majority')
    await failpoint('insert.after')
    return inserted
  }

  const own = (deadlineAt: number): Tenure => ({ epoch: 1, clean: true, deadlineAt })

  /** Moves the booking on until it is final, or where the hold says to stop. Answers it as it then is. */
  async function drive(booking: B, hold: Tenure): Promise<B> {
    let b = booking
    while (!isFinal(b.state) && b.state !== hold.until) {
      if (Date.now() > hold.deadlineAt) throw new OutOfTime(`booking ${String(b._id)} is ${b.state}`)
      try {
        b = await step(b, hold)
      } catch (error) {
        if (error instanceof Superseded) return outcome(b._id, hold.deadlineAt)
        if (!(error instanceof Unknown)) throw error
        // The lost write may land at any later time: fence it off before doing anything else.
        b = await takeOverAgain(b._id, hold, error.message)
        hold = { ...hold, epoch: b.epoch, clean: false }
      }
    }
    return b
  }

  async function step(b: B, hold: Tenure): Promise<B> {
    const cancels = hold.cancel !== undefined && !b.reverses
    switch (b.state) {
      case 'INITIAL':
        return cancels ? move(b, hold, 'CANCELLING', 'majority', hold.cancel) : move(b, hold, 'PENDING', 'majority')
      case 'PENDING': {
        if (cancels) return move(b, hold, 'CANCELLING', 'majority', hold.cancel)
        const refusal = b.reverses ? await reverseAll(b) : await applyAll(b)
        return refusal === undefined
          ? move(b, hold, 'APPLIED', 'majority')
          : move(b, hold, 'CANCELLING', 'majority', refusal)
      }
      case 'APPLIED': {
        const receivers = receiversOf(b)
        await receiveAll(b, receivers)
        // Decided, so w:1 will do: what a failover takes of it is done again. A lost clear leaves a marker of a final
        // booking, which the tidy job removes.
        const clears = all([...votersOf(b), ...receivers], (each) => each.clear(b)).catch(ignoreUnknown)
        const committed = move(b, hold, 'COMMITTED', 'local')
        await Promise.allSettled([clears, committed])
        await clears
        return committed
      }
      case 'CANCELLING':
        await all(votersOf(b), (voter) => (hold.clean && hold.epoch === 1 ? voter.undo(b) : voter.void(b)))
        return move(b, hold, 'CANCELLED', 'majority')
      case 'COMMITTED':
      case 'CANCELLED':
        return b
    }
  }

  /** The reason to cancel, or undefined when all hold it. */
  async function applyAll(b: B): Promise<string | undefined> {
    const voters = votersOf(b)
    const votes = await all(voters, (voter) => voter.apply(b))
    if (votes.includes('void')) return 'booking_voided'
    return voters.find((_, i) => votes[i] === 'refused')?.refusal
  }

  async function reverseAll(r: B): Promise<undefined> {
    await all(votersOf(r), (voter) => voter.reverse(r))
  }

  /** Nothing can refuse what is decided: whoever drives it comes again, and in the end it is parked. */
  async function receiveAll(b: B, receivers: Participant<B>[]): Promise<void> {
    const votes = await all(receivers, (receiver) => receiver.apply(b))
    if (votes.some((vote) => vote !== 'ok')) throw new Unknown('a receiver cannot take it, yet')
  }

  /** All at once, and all settled: an executor that goes on has no write of its own in flight. */
  async function all<P, R>(participants: P[], run: (participant: P) => Promise<R>): Promise<R[]> {
    const settled = await Promise.allSettled(participants.map(run))
    return settled.map((result) => {
      if (result.status === 'rejected') throw result.reason
      return result.value
    })
  }

  /** The one writer of states: a compare-and-set on (state, epoch). */
  async function move(b: B, hold: Tenure, to: State, durability: Durability, reason?: string): Promise<B> {
    const set = { state: to, lastModified: now(), ...(reason !== undefined && { reason }) }
    const moved = { ...b, ...set }
    const { $set, ...carried } = carries(moved)
    await failpoint(`${to}.before`)
    const landed = await store.update(
      to,
      { id: b._id, guard: { state: b.state, epoch: hold.epoch }, change: { $set: { ...set, ...$set }, ...carried } },
      durability,
    )
    await failpoint(`${to}.after`)
    // Only the holder of an epoch writes a state at it: seen so, it is this write that landed.
    if (landed.matched || (landed.seen?.state === to && landed.seen.epoch === hold.epoch)) return moved
    throw new Superseded()
  }

  /** Raises the epoch of an outstanding booking; null where it is final, or `when` does not hold. */
  async function takeOver(
    id: Id,
    by: string,
    why: string,
    options: { when?: Filter; set?: Filter } = {},
  ): Promise<B | null> {
    const before = await store.read(id, 'majority')
    if (!before || isFinal(before.state)) return null
    await failpoint('takeOver.before')
    const at = now()
    const taken = await store.take({
      id,
      guard: { ...isOutstanding, ...options.when },
      change: {
        $inc: { epoch: 1, ...(by === 'recovery' && { recoveries: 1 }) },
        $set: { lastModified: at, ...options.set },
        // The newest 50: a booking that cannot be driven on must not grow without end.
        $push: { repairs: { $each: [{ at, by, from: before.state, why }], $slice: -50 } },
      },
    })
    await failpoint('takeOver.after')
    return taken
  }

  /** The owner's takeover from itself, until it is known to have happened. Answers the booking, whoever ended it. */
  async function takeOverAgain(id: Id, { deadlineAt }: Tenure, why: string): Promise<B> {
    for (let waitMs = 5; ; waitMs = Math.min(2 * waitMs, 500)) {
      try {
        const taken = await takeOver(id, 'owner', why)
        if (taken) return taken
        // Only an ended booking may be taken as it is read: any other may be at the epoch of somebody else, who took it
        // over meanwhile.
        const seen = await store.read(id, 'majority')
        if (seen && isFinal(seen.state)) return seen
      } catch (error) {
        if (!(error instanceof Unknown)) throw error
      }
      await pauseUntil(deadlineAt, waitMs, id)
    }
  }

  /**
   * A booking as others may be told of it: by majority. A final state, written at w:1, stands wherever it is seen, since
   * the decision beneath it is majority.
   */
  async function read(id: Id): Promise<B | null> {
    const b = await store.read(id, 'local')
    return b && isFinal(b.state) ? b : store.read(id, 'majority')
  }

  /** Waits for whoever drives the booking to end it; read with majority. */
  async function outcome(id: Id, deadlineAt: number): Promise<B> {
    for (let waitMs = 5; ; waitMs = Math.min(2 * waitMs, 250)) {
      const b = await store.read(id, 'majority').catch(ignoreUnknown)
      if (b && isFinal(b.state)) return b
      await pauseUntil(deadlineAt, waitMs, id)
    }
  }

  /**
   * Takes the booking over and drives it on (recovery, an admin, a duplicate request of a dead owner); null where there
   * is nothing to take over. With `cancel`, back out if it is not decided yet.
   */
  async function resume(
    id: Id,
    options: {
      by: string
      why: string
      when?: Filter
      set?: Filter
      cancel?: string
      until?: State
      deadlineAt: number
    },
  ): Promise<{ found: B; booking: B } | null> {
    const found = await takeOver(id, options.by, options.why, options)
    if (!found) return null
    const { cancel, until, deadlineAt } = options
    const hold: Tenure = {
      epoch: found.epoch,
      clean: false,
      deadlineAt,
      ...(cancel !== undefined && { cancel }),
      ...(until && { until }),
    }
    return { found, booking: await drive(found, hold) }
  }

  /** Ends a booking as CANCELLED if it is not decided yet, otherwise drives it to COMMITTED and reverses it. */
  async function cancel(
    id: Id,
    { by, reason, deadlineAt }: { by: string; reason: string; deadlineAt: number },
  ): Promise<{ booking: B; reversal?: B }> {
    const resumed = await resume(id, { by, why: reason, cancel: reason, set: { parked: false }, deadlineAt })
    const booking = resumed?.booking ?? (await outcome(id, deadlineAt))
    if (booking.state === 'CANCELLED') return { booking }
    return { booking, reversal: await reverse(booking, by, deadlineAt) }
  }

  /**
   * The booking that takes a COMMITTED one back. It is decided by its durable insert, and from then on only ever driven
   * forward, by whoever meets it.
   */
  async function reverse(original: B, by: string, deadlineAt: number): Promise<B> {
    const known = (): Promise<B | undefined> => store.find({ reverses: original._id }, 1).then(([first]) => first)
    let reversal = await known()
    if (!reversal) {
      const fresh = asStarted(reversalOf(original))
      if ((await insert(fresh)) === 'inserted') return drive(fresh, own(deadlineAt))
      // Both unique indexes may have refused it: only where no reversal stands is it a rival.
      reversal = await known()
      if (!reversal) {
        if (!rivalsOf) throw new Unknown('the reversal is not majority yet')
        const [outstanding] = await store.find({ ...rivalsOf(original), ...isOutstanding }, 1)
        throw new Outstanding(outstanding)
      }
    }
    const resumed = await resume(reversal._id, { by, why: 'met its reversal', set: { parked: false }, deadlineAt })
    return resumed?.booking ?? outcome(reversal._id, deadlineAt)
  }

  async function pauseUntil(deadlineAt: number, waitMs: number, id: Id): Promise<void> {
    if (Date.now() + waitMs > deadlineAt) throw new OutOfTime(`booking ${String(id)} has not ended yet`)
    await pause(waitMs)
  }

  return { create, register, begin, resume, cancel, outcome, read, find: store.find }
}

function ignoreUnknown(error: unknown): null {
  if (error instanceof Unknown) return null
  throw error
}

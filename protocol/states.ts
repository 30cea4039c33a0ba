/** The states of a booking, and who moves it out of each. docs/states.md is made from this table. */
export const STATES = ['INITIAL', 'PENDING', 'APPLIED', 'COMMITTED', 'CANCELLING', 'CANCELLED'] as const
export type State = (typeof STATES)[number]

export const TRANSITIONS: Record<State, readonly State[]> = {
  /** Registered, no effect yet. Its owner starts it; recovery or a canceller after taking over. */
  INITIAL: ['PENDING', 'CANCELLING'],
  /** Effects are being applied. Its owner decides; recovery or a canceller after taking over. */
  PENDING: ['APPLIED', 'CANCELLING'],
  /** Decided: only forward. Its owner commits it; anyone after taking over. */
  APPLIED: ['COMMITTED'],
  /** Final. Only another booking, its reversal, takes it back. */
  COMMITTED: [],
  /** Decided: effects are being taken back. Whoever moved it here finishes; anyone after taking over. */
  CANCELLING: ['CANCELLED'],
  /** Final. */
  CANCELLED: [],
}

export const FINAL: readonly State[] = STATES.filter((state) => TRANSITIONS[state].length === 0)
/** A user has one booking in these states at a time: the partial unique index lists the same. */
export const OUTSTANDING: readonly State[] = STATES.filter((state) => TRANSITIONS[state].length > 0)
export const isFinal = (state: State): boolean => FINAL.includes(state)

/** The filter of outstanding bookings: a query uses the partial indexes only if it repeats their predicate. */
export const isOutstanding = { state: { $in: [...OUTSTANDING] } }

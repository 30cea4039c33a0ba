import type { Operation } from '../contract/contract.js'
import { Refusal } from '../contract/errors.js'
import type { DomainEvent, DeliveryFailure } from './events.js'
import { fullName } from '../runtime/invocation.js'
import type { System } from '../runtime/system.js'

/** Who subscribes to what, and whether they can be told at present. */
export interface EventSubscribers {
  /** Types that anybody subscribes to. */
  types: readonly string[]
  of(event: DomainEvent): readonly Operation[]
  /**
   * False while no process hosts it, or while none answers. Its events then wait without an attempt: a subscriber that
   * is down for an hour must not turn its events into dead letters.
   */
  available(subscriber: Operation): boolean
  /** Answers what went wrong, or null. Never rejects. */
  tell(subscriber: Operation, event: DomainEvent): Promise<DeliveryFailure | null>
}

/** Asking discovery for every event would cost more than sending it. */
const REACH_MAX_AGE_MS = 200
/** So many calls in a row without an answer: whatever hosts it is frozen, or falls over. */
const STRIKES = 10
const PAUSE_MS = 5000
const MAX_MESSAGE_CHARS = 500

/** Some hear only of events whose payload has a field. */
export const concerns = ({ subscribesWhere: fields = [] }: Operation, payload: unknown): boolean =>
  fields.length === 0 || fields.some((field) => field in (payload as object))

export function eventSubscribers(system: System, operations: Iterable<Operation>): EventSubscribers {
  const byType = new Map<string, Operation[]>()
  for (const operation of operations)
    for (const type of operation.subscribes ?? []) byType.set(type, [...(byType.get(type) ?? []), operation])
  const states = new Map<Operation, { reached: boolean; askedAt: number; strikes: number; pausedUntil: number }>()

  function stateOf(subscriber: Operation) {
    let state = states.get(subscriber)
    if (!state) {
      state = { reached: false, askedAt: -Infinity, strikes: 0, pausedUntil: 0 }
      states.set(subscriber, state)
    }
    return state
  }

  function count(subscriber: Operation, answered: boolean): void {
    const state = stateOf(subscriber)
    state.strikes = answered ? 0 : state.strikes + 1
    if (state.strikes < STRIKES) return
    state.strikes = 0
    state.pausedUntil = performance.now() + PAUSE_MS
    system.log.warn({ subscriber: fullName(subscriber) }, 'a subscriber does not answer: its events wait')
  }

  return {
    types: [...byType.keys()],
    of: ({ type, payload }) => (byType.get(type) ?? []).filter((each) => concerns(each, payload)),
    available(subscriber) {
      const state = stateOf(subscriber)
      const now = performance.now()
      if (now - state.askedAt > REACH_MAX_AGE_MS) {
        state.askedAt = now
        state.reached = system.reaches(subscriber)
      }
      return state.reached && now >= state.pausedUntil
    },
    async tell(subscriber, event) {
      try {
        await system.call(subscriber, event, { caller: null, requestId: event.eventId })
        count(subscriber, true)
        return null
      } catch (error) {
        const refusal = error instanceof Refusal ? error : new Refusal('internal', String(error))
        const { code, message, cause } = refusal
        count(subscriber, code !== 'unavailable' && code !== 'deadline_exceeded')
        return {
          at: system.now(),
          subscriber: fullName(subscriber),
          code,
          message: message.slice(0, MAX_MESSAGE_CHARS),
          requestId: event.eventId,
          ...(cause instanceof Error && { cause: cause.message.slice(0, MAX_MESSAGE_CHARS) }),
        }
      }
    },
  }
}

import type { z } from 'zod'

/** A type of event: when it is emitted, a sentence for the docs, and what it says. */
export interface EventSpec<P extends z.ZodType = z.ZodType> {
  when: string
  payload: P
}

/** What a domain emits, by type, `<aggregate>:<what happened>`: `order:created`. Its contract exports it as `emits`. */
export interface DomainEvents<S extends Record<string, EventSpec> = Record<string, EventSpec>> {
  domain: string
  types: S
}

/** Spells out what a domain emits; the contract adds it to EmittedEvents, so that others can subscribe. */
export const defineEvents = <const S extends Record<`${string}:${string}`, EventSpec>>(
  domain: string,
  types: S,
): DomainEvents<S> => ({ domain, types })

/** The events of all domains: each contract with `emits` adds them here, under its domain's name. */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- it is filled in where the contracts are
export interface EmittedEvents {}

type Emitting = EmittedEvents[keyof EmittedEvents]
type SaidBy<E> = E extends DomainEvents<infer S> ? { [T in keyof S]: z.input<S[T]['payload']> } : never
type Said<T, E = Emitting> = E extends unknown ? (T extends keyof SaidBy<E> ? SaidBy<E>[T] : never) : never

/** The types that anybody emits. */
export type EventType = Emitting extends infer E ? (E extends unknown ? keyof SaidBy<E> & string : never) : never

/** What an event of this type says; of several, what any of them says. */
export type EventPayload<T extends EventType> = T extends unknown ? Said<T> : never

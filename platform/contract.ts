import type { z } from 'zod'
import type { ErrorCode } from './errors.js'

/**
 * Who may call: `anyone` also anonymously; `user` any signed-in caller (own entities only, where an entity has an
 * owner; admins all); `admin`; `internal` other functions alone (the gateway does not know such an operation).
 */
export type Access = 'anyone' | 'user' | 'admin' | 'internal'

/**
 * How long a caller waits, by kind; config derives the milliseconds. `quick` one or two reads or writes; `money` runs
 * the booking protocol, ends before recovery may take over; `step` one step of it; `sweep` works through many entities.
 */
export type DeadlineKind = 'quick' | 'money' | 'step' | 'sweep'

export interface OperationSpec<I extends z.ZodType, O extends z.ZodType, K extends string> {
  /** One line for the docs. */
  summary: string
  access: Access
  input: I
  output: O
  /** Its own errors, in order of precedence: when several apply, the first is answered. */
  errors: readonly ErrorCode[]
  deadline: DeadlineKind
  /**
   * Safe to send twice as it is (reads; creates and movements with an id chosen by the client; guarded updates).
   * Only such calls are sent again when a reply is lost.
   */
  idempotent: boolean
  /** The input key that holds the new entity's id. Whoever calls first fills it in when the client did not. */
  newId?: K
}

export interface Operation<
  I extends z.ZodType = z.ZodType,
  O extends z.ZodType = z.ZodType,
  K extends string = string,
> extends OperationSpec<I, O, K> {
  domain: string
  name: string
}

/** What a handler receives: the parsed input, its new id always filled in. */
export type HandlerInput<Op> =
  Op extends Operation<infer I, z.ZodType, infer K>
    ? z.output<I> & (string extends K ? unknown : Record<K, string>)
    : never
/** What a caller sends. */
export type CallInput<Op> = Op extends Operation<infer I> ? z.input<I> : never
/** What a caller gets. */
export type Output<Op> = Op extends Operation<z.ZodType, infer O> ? z.output<O> : never

/** Spells out one operation; exists for its type inference. */
export const operation = <I extends z.ZodType, O extends z.ZodType, const K extends string = string>(
  spec: OperationSpec<I, O, K>,
): OperationSpec<I, O, K> => spec

type Named<S> = S extends OperationSpec<infer I, infer O, infer K> ? Operation<I, O, K> : never

/** A domain's operations by name. The file `functions/<domain>/<name>.ts` implements each. */
export function defineContract<S extends Record<string, unknown>>(
  domain: string,
  specs: S,
): { [N in keyof S]: Named<S[N]> } {
  return Object.fromEntries(
    Object.entries(specs).map(([name, spec]) => [
      name,
      { ...(spec as OperationSpec<z.ZodType, z.ZodType, string>), domain, name },
    ]),
  ) as unknown as { [N in keyof S]: Named<S[N]> }
}

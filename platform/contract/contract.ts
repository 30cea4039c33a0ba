import { z } from 'zod'
import type { QuotaName } from '../../config/quotas.js'
import type { ErrorCode } from './errors.js'
import type { EventPayload, EventType } from './events.js'
import { id, time, version } from './types.js'

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

/** What a user stores by an operation counts against quotas of the day, by number, and by bytes where it has a text. */
export interface QuotaOf<I = unknown> {
  count: QuotaName
  bytes?: { quota: QuotaName; of(input: I): number }
  /**
   * Counted a hundredth of the quota at a time, by each process, and the first of them never: for what must not wait for one
   * more write. Up to so many more than the quota get through in each process.
   */
  inLumps?: true
}

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
  /** It changes nothing: an API key that may only read its domain may call it. */
  reads?: true
  /** Not for API keys, whatever their scopes: what opens or ends ways in. */
  personal?: true
  /**
   * What its calls share writes by: the car, the user, the feed. Those with the same key go to the same process where
   * they can, and their writes share statements there; it is only a preference. Without one: to the least busy process.
   * What only reads needs none, and what hashes passwords has none.
   */
  key?(input: z.output<I>): string | undefined
  /** The input key that holds the new entity's id. Whoever calls first fills it in when the client did not. */
  newId?: K
  /**
   * Keys of the input that hold a password. It is hashed, which costs a tenth of a second of a core, and may be guessed:
   * requests with one have a rate of their own.
   */
  passwords?: readonly string[]
  /** How many requests it counts as against its sender's rate, where that is not one: what many others get costs more. */
  weight?: number
  /**
   * Of whatever stores something for a plain user, or for anyone: the runtime counts it, once per id, before it is done.
   * Adds `quota_exceeded` to its errors.
   */
  quota?: QuotaOf<z.output<I>>
  /** How many times as much as another one's its answer costs by its length, where it takes that much longer to make. */
  costly?: number
  /** Only for sockets that follow this feed; the others are refused with this code. */
  within?: { feed(input: z.output<I>): string; refusal: ErrorCode }
  /**
   * The sender's socket follows a feed when the operation went well, from behind this entry on; where it follows it
   * already, only with `again` anew from there.
   */
  follows?: {
    feed(input: z.output<I>): string
    from(input: z.output<I>, output: z.output<O>): { after: number; again: boolean }
  }
  /** The sender's socket stops following a feed when the operation went well. */
  unfollows?(input: z.output<I>): string
  /** A socket's acknowledgement of this event is a call by the socket's user, with what this makes of the event's data. */
  acknowledges?: { event: string; input(data: Record<string, unknown>): unknown }
  /** Types of the events that are delivered to it, each as its input: see `subscriber`. */
  subscribes?: readonly string[]
  /** Of those events only the ones whose payload has one of these fields, if any are named: what concerns nobody costs no call. */
  subscribesWhere?: readonly string[]
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

/**
 * Spells out an operation that subscribes to events. It may hear of each more than once, and only says that it has.
 * `payload` is what it reads of what they say; defineContract sees that somebody emits them, and that they say it.
 */
export const subscriber = <P extends z.ZodType, const T extends string, const W extends string = never>({
  payload,
  subscribes,
  subscribesWhere = [],
  errors = [],
  deadline = 'quick',
  ...spec
}: {
  summary: string
  payload: P
  subscribes: readonly T[]
  subscribesWhere?: readonly W[]
  errors?: readonly ErrorCode[]
  deadline?: DeadlineKind
}) => ({
  ...operation({
    ...spec,
    access: 'internal',
    input: z.strictObject({
      eventId: id,
      type: z.enum(subscribes),
      aggregate: z.strictObject({ type: z.string(), id }),
      version,
      payload,
      createdAt: time,
    }),
    output: z.object({}),
    errors,
    deadline,
    idempotent: true,
    key: ({ aggregate }) => aggregate.id,
  }),
  subscribes,
  subscribesWhere,
})

type Named<S> = S extends OperationSpec<infer I, infer O, infer K> ? Operation<I, O, K> : never

/** What is wrong with a spec that subscribes: to a type that nobody emits, or expecting more than its events say. */
type Mistake<S> = S extends { input: z.ZodType<unknown, infer I>; subscribes: readonly (infer T)[] }
  ? [T] extends [EventType]
    ? [Having<EventPayload<T>, S extends { subscribesWhere: readonly (infer W)[] } ? W : never>] extends [
        I extends { payload: infer P } ? P : never,
      ]
      ? unknown
      : { payload: 'expects more than these events say' }
    : { subscribes: readonly EventType[] }
  : unknown

/** Payloads that have one of these fields. */
type Having<P, W> = [W] extends [never]
  ? P
  : string extends W
    ? P
    : P extends unknown
      ? W extends keyof P
        ? P & { [F in W]-?: Exclude<P[F], undefined> }
        : never
      : never

/** A domain's operations by name. The file `functions/<domain>/<name>.ts` implements each. */
export function defineContract<S extends Record<string, unknown>>(
  domain: string,
  specs: S & { [N in keyof S]: Mistake<S[N]> },
): { [N in keyof S]: Named<S[N]> } {
  return Object.fromEntries(
    Object.entries(specs as Record<string, OperationSpec<z.ZodType, z.ZodType, string>>).map(([name, spec]) => [
      name,
      { ...spec, ...(spec.quota && { errors: withQuota(spec.errors) }), domain, name },
    ]),
  ) as unknown as { [N in keyof S]: Named<S[N]> }
}

const withQuota = (errors: readonly ErrorCode[]): readonly ErrorCode[] => [
  ...new Set<ErrorCode>(['quota_exceeded', ...errors]),
]

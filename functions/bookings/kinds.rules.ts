import { z } from 'zod'
import type { ErrorCode } from '../../platform/contract/errors.js'
import type { KindContract } from './kinds/kind.rules.js'
import { KINDS } from './kinds/list.js'

/** What the contract of bookings takes from the kinds of things to book: the fields, rules, codes and operations of all. */

type Kind = (typeof KINDS)[number]
type BookedBy = KindContract['bookedBy']
type Fields = 'input' | 'shows' | 'changes'

type All<U> = (U extends unknown ? (each: U) => void : never) extends (all: infer A) => void ? A : never
type Optional<S> = { [F in keyof S]: S[F] extends z.ZodOptional ? S[F] : z.ZodOptional<S[F] & z.ZodType> }

const kindsBy = (by?: BookedBy): readonly KindContract[] => KINDS.filter(({ bookedBy }) => !by || bookedBy === by)

/** The fields of all kinds; each is optional, because it may be another kind that is booked. */
export function ofKinds<F extends Fields, By extends BookedBy = BookedBy>(
  fields: F,
  by?: By,
): Optional<All<Extract<Kind, { bookedBy: By }>[F]>> {
  const all = kindsBy(by).flatMap((kind) => Object.entries(kind[fields]))
  return Object.fromEntries(all.map(([name, type]) => [name, type.optional()])) as never
}

/** That one kind is asked for, with all that it takes and nothing of another one. */
export const askedOnce = (by: BookedBy) => (input: Record<string, unknown>, ctx: z.RefinementCtx) => {
  const wrong = (path: PropertyKey[], message: string) => ctx.addIssue({ code: 'custom', path, message })
  const asked = kindsBy(by).filter((kind) => kind.askedBy.some((field) => input[field] !== undefined))
  const [kind] = asked
  if (!kind || asked.length > 1) {
    const fields = kindsBy(by).flatMap(({ askedBy }) => askedBy)
    return wrong([fields[0] ?? ''], fields.length === 1 ? 'is missing' : `either ${fields.join(' or ')}`)
  }
  for (const [field, type] of Object.entries(kind.input)) {
    if (input[field] === undefined && !type.safeParse(undefined).success) wrong([field], `a ${kind.name} needs it`)
  }
  for (const other of kindsBy(by).flatMap(({ input: fields }) => Object.keys(fields))) {
    if (input[other] !== undefined && !(other in kind.input)) wrong([other], `a ${kind.name} has none`)
  }
  const broken = kind.rule?.(input)
  if (broken) wrong(broken.path, broken.message)
}

/** The kind that such an input asks for. */
export const kindAsked = (by: BookedBy, input: Record<string, unknown>): string =>
  kindsBy(by).find((kind) => kind.askedBy.some((field) => input[field] !== undefined))?.name as string

/** The id of what such an input asks for: of the thing, or of what stands for it. */
export const thingAsked =
  (by: BookedBy) =>
  (input: Record<string, unknown>): string | undefined => {
    const asked = kindsBy(by).flatMap(({ askedBy }) => askedBy.map((field) => input[field]))
    return asked.find((value) => typeof value === 'string')
  }

export const refusalsOf = (by: BookedBy, when: 'refuses' | 'refusal'): ErrorCode[] =>
  kindsBy(by).flatMap((kind) => kind[when])

export const operationsOfKinds = Object.assign({}, ...KINDS.map(({ operations }) => operations)) as All<
  Kind['operations']
>

export const newsOfKinds = Object.assign({}, ...KINDS.map(({ news }) => news)) as All<Kind['news']>

type Counts = { [N in `${Kind['name']}s`]: z.ZodInt }
export const countsOfKinds = Object.fromEntries(KINDS.map(({ name }) => [`${name}s`, z.int()])) as Counts

/** The fields by which an event shows that others are told of its booking. */
export const announcedFields = KINDS.filter((kind: KindContract) => kind.announces).map(({ name }) => `${name}Id`)

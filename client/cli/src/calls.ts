import type { Data, Input, OperationName } from '../../src/index.js'
import type { Fields } from './fields.js'

/** A command that is one call: its words become the operation's input, what is answered is printed. */
export interface CallCommand {
  /** `cars add` */
  words: string
  about: string
  operation: OperationName
  /** Words behind it, in order. */
  takes: Fields
  options: Fields
  /** Shown of each item of a list. */
  columns?: readonly string[]
  /** Not shown of what is answered, but with --json. */
  leavesOut?: readonly string[]
  /** Its options are what is set: by `update`, which reads again where somebody else was faster. */
  updates?: boolean
  /** It is about whoever is signed in: `userId` is theirs. */
  own?: boolean
}

export const own = (command: CallCommand): CallCommand => ({ ...command, own: true })

type KeysOf<T> = T extends unknown ? Extract<keyof T, string> : never
type FieldsOf<T> = Partial<Record<KeysOf<T>, Fields[string]>>
type ItemOf<N extends OperationName> = Data<N> extends { items: (infer I)[] } ? I : never
type SetOf<N extends OperationName> = Input<N> extends { set: infer S } ? S : never

interface Spec<N extends OperationName> {
  takes?: FieldsOf<Input<N>>
  options?: FieldsOf<Input<N>>
  columns?: readonly KeysOf<ItemOf<N>>[]
  leavesOut?: readonly KeysOf<Data<N>>[]
}

export const call = <N extends OperationName>(
  words: string,
  operation: N,
  about: string,
  { takes = {}, options = {}, ...shown }: Spec<N> = {},
): CallCommand => ({
  ...{ words, operation, about, takes: takes as Fields, options: options as Fields },
  ...shown,
})

export const update = <N extends OperationName>(
  words: string,
  operation: N,
  about: string,
  spec: { takes: FieldsOf<Input<N>>; sets: FieldsOf<SetOf<N>> },
): CallCommand => ({
  ...{ words, operation, about, takes: spec.takes as Fields, options: spec.sets as Fields, updates: true },
})

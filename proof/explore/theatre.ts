import type { Document } from './documents.js'
import type { Ending, Tools } from './executor.js'
import type { CollectionName, Snapshot } from './snapshot.js'
import type { Fault } from './world.js'

/** One world, and several theatres in it: each has executors of its own, documents, and books that they must agree with. */

export type Main = (tools: Tools) => Promise<unknown>

export interface Theatre {
  /** Collections that share a replica set. */
  replicaSets: CollectionName[][]
  /**
   * Where two executors write one document again and again, what each was told of it and when would make states without
   * end, though nothing but its newest version decides: those told the same but for older versions stand at the same
   * place. That they ask for the same there is checked.
   */
  newestOf?: CollectionName
  /** What drives on whatever was left, until nothing is outstanding. */
  recovery: Main
  isOutstanding(books: Snapshot): boolean
  /** Each check answers a sentence on what is wrong. What must hold at every moment, whatever is under way. */
  checkAlways(snapshot: Snapshot): string | undefined
  /** What must hold of every write. */
  checkWrite(collection: CollectionName, before: Document | null, after: Document): string | undefined
  /** When nobody is at work and recovery has run. */
  checkSettled(books: Snapshot): string | undefined
  /** Whether what an executor was answered is what came about. */
  checkEnding(ending: Ending, books: Snapshot, about: About): string | undefined
  /** What became of it all, in a few words. */
  outcome(books: Snapshot): string
}

/** What is known of an executor's answer beforehand: the reasons that can be true, and the id that it asks for. */
export interface About {
  reasons: readonly string[]
  asked?: string | undefined
}

export interface Case {
  name: string
  /** One sentence for the list of cases. */
  summary: string
  theatre: Theatre
  documents: Partial<Record<CollectionName, Document[]>>
  executors: { name: string; main: Main }[]
  /** The first executor goes alone before the others start, each way it can go with as many such faults. */
  prelude?: { fault: Fault; times: number; steps?: RegExp }
  /** Reasons for a refusal that may be told to a client here. */
  reasons: string[]
  /** By executor, the id of what it asks for. */
  asks?: Record<string, string>
}

/** Somebody who does something. Its number keeps its new ids apart from those of others. */
export type Actor = (executor: number) => Main

interface Given extends Omit<Case, 'executors' | 'theatre'> {
  executors: Record<string, Actor>
}

export const casesOf =
  (theatre: Theatre) =>
  ({ executors, ...given }: Given): Case => ({
    ...given,
    theatre,
    executors: Object.entries(executors).map(([name, make], i) => ({ name, main: make(i + 1) })),
  })

export const START = new Date('2031-01-01T00:00:00.000Z')

/** An id that reads as a name. */
export const id = (name: string): string => name.padStart(24, '0')

/** Unlike those of all other executors. */
export const newIdsOf = (tools: Tools, executor: number) => (): string =>
  `e${executor}${tools.newId().padStart(22, '0')}`

const quiet = () => undefined
export const QUIET = { debug: quiet, info: quiet, warn: quiet, error: quiet }

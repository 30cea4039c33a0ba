import type { Fault } from './world.js'

/**
 * The rules broken on purpose, one rule at a time: what each would look like if somebody wrote it so. A replacement
 * names text of the source that must be there, as often as it says; the runner applies it to a copy.
 */
export interface Mutant {
  name: string
  edits: { file: string; find: string; replace: string; times?: number }[]
  /** Where it shows: a case and the faults that may happen in it. */
  shows: { case: string; faults: Fault[] }
}

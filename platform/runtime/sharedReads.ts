import { Refusal } from '../contract/errors.js'
import type { CoalesceOptions } from '../lib/coalesce.js'
import type { System } from './system.js'

/** For reads that a request waits for: those asked for at once share a round trip. `who` is named where none comes. */
export const sharedReads = ({ config }: Pick<System, 'config'>, who: string): CoalesceOptions => ({
  maxBatch: 256,
  maxInFlight: 2,
  timeoutMs: config.deadlinesMs.quick,
  onTimeout: () => new Refusal('unavailable', `${who} did not answer in time.`),
})

import type { Config } from '../../config/index.js'
import { Refusal } from '../contract/errors.js'
import type { CoalesceOptions } from '../lib/coalesce.js'

/** For what a request waits for on its way: those asked for at once share a round trip. `who` is named where none comes. */
export const sharedTrips = ({ config }: { config: Pick<Config, 'deadlinesMs'> }, who: string): CoalesceOptions => ({
  maxBatch: 256,
  maxInFlight: 2,
  timeoutMs: config.deadlinesMs.quick,
  onTimeout: () => new Refusal('unavailable', `${who} did not answer in time.`),
})

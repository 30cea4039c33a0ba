import { Refusal } from '../contract/errors.js'
import { field, listOf, recordOf } from '../database/fields.js'
import { retryDelayMs } from '../events/retries.js'
import type { Logger } from '../lib/log.js'
import { outOfReach } from '../runtime/system.js'
import { advanced, includes, type AppendLog, type LogEntry, type Offsets } from './appendLog.js'
import type { createBatchSize } from './batchSize.js'

/**
 * A stream of a log of which a follower can't take an entry. That entry and the later ones of its stream wait, for their
 * order matters; the follower goes on with all other streams, and comes back to this one with backoff for as long as it
 * takes: what is appended stays true, so there is nothing to give up. It stands in the follower's position.
 */
export interface Halt {
  stream: string
  /** Of the entry that is not taken. */
  number: number
  failures: number
  since: Date
  retryAt: Date
  /** What went wrong the last time, for whoever may read the log. */
  error: string
}

export const haltsField = listOf(
  recordOf<Halt>({
    stream: field.text,
    number: field.count,
    failures: field.count,
    since: field.date,
    retryAt: field.date,
    error: field.text,
  }),
)

/** How far a follower is. */
export interface Position {
  offsets: Offsets
  halts: readonly Halt[]
}

/** Where more than these stand still, it is not them: the follower stands still, too, until that is mended. */
const MAX_HALTS = 100
const MAX_ERROR_CHARS = 200

export interface Follower<E extends LogEntry> {
  name: string
  log: AppendLog<E>
  batch: ReturnType<typeof createBatchSize>
  now(): Date
  logger: Logger
  /** Takes these entries in their order and saves where the follower is then. False: another process moved it meanwhile. */
  take(entries: E[], next: Position): Promise<boolean>
}

/**
 * Takes what is next, up to `until`: a halted stream that is due, else a batch of the log. A batch that fails is tried
 * again in smaller ones; a single entry that fails halts its stream. Answers how many entries, 0 where nothing is to do.
 */
export async function takeNext<E extends LogEntry>(
  follower: Follower<E>,
  { offsets, halts }: Position,
  until?: Offsets,
): Promise<number> {
  const { log, batch, now, take } = follower
  const due = halts.find(({ retryAt }) => retryAt <= now())
  if (due) return takeAgain(follower, { offsets, halts }, due)
  const halted = new Set(halts.map(({ stream }) => stream))
  for (;;) {
    const entries = await log.after(offsets, batch.now(), until)
    const [first] = entries
    if (!first) return 0
    const free = entries.filter(({ stream }) => !halted.has(stream))
    const next = { offsets: advanced(offsets, entries), halts }
    try {
      return (await batch.during(() => take(free, next))) ? entries.length : 0
    } catch (error) {
      if (!isOfEntry(error) || free.length === 0) throw error
      if (entries.length > 1) continue
      if (halts.length >= MAX_HALTS) throw error
      const halt = haltOf(follower, { stream: first.stream, number: first.number, failures: 0, since: now() }, error)
      return (await take([], { ...next, halts: [...halts, halt] })) ? 1 : 0
    }
  }
}

/** The entry that a halted stream stands at; behind it the next one, until the stream is where the follower is. */
async function takeAgain<E extends LogEntry>(
  follower: Follower<E>,
  { offsets, halts }: Position,
  due: Halt,
): Promise<number> {
  const { log, now, take } = follower
  const others = halts.filter((each) => each !== due)
  const entry = await log.at(due.stream, due.number)
  if (!entry || !includes(offsets, entry._id)) return (await take([], { offsets, halts: others })) ? 1 : 0
  try {
    const next = { ...due, number: due.number + 1, failures: 0, retryAt: now() }
    return (await take([entry], { offsets, halts: [...others, next] })) ? 1 : 0
  } catch (error) {
    if (!isOfEntry(error)) throw error
    return (await take([], { offsets, halts: [...others, haltOf(follower, due, error)] })) ? 1 : 0
  }
}

function haltOf(
  { name, now, logger }: Pick<Follower<LogEntry>, 'name' | 'now' | 'logger'>,
  { stream, number, failures, since }: Omit<Halt, 'retryAt' | 'error'>,
  error: unknown,
): Halt {
  const retryAt = new Date(now().getTime() + retryDelayMs(failures + 1, Math.random))
  logger.error({ err: error, follower: name, stream, number, failures: failures + 1 }, 'a stream of a log is halted')
  const { message } = error instanceof Error ? error : { message: String(error) }
  return { stream, number, failures: failures + 1, since, retryAt, error: message.slice(0, MAX_ERROR_CHARS) }
}

/** And not of a database or a domain that is away, which comes back and then takes every entry. */
function isOfEntry(error: unknown): boolean {
  if (error instanceof Refusal) return error.code !== 'unavailable' && error.code !== 'deadline_exceeded'
  return !outOfReach(error)
}

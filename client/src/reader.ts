import type { CallError } from './errors.js'

/** What happened, in the order of its feed; `seq` counts from 1 and has no gaps. */
export interface Entry {
  name: string
  seq: number
  at?: string
  [field: string]: unknown
}

/** In place of entries that are older than the server keeps them: what one shows should be read anew. */
export interface Gap {
  name: 'gap'
  /** The last that came before, and the first that comes after. */
  after: number
  before: number
}

/** `for await (const entry of ...)`: entries as they come, over reconnects, each once. `break` ends it. */
export interface Following<E extends Entry = Entry> extends AsyncIterable<E | Gap> {
  /** Settles when the server tells this client, and nothing from here on is missed. */
  readonly following: Promise<void>
  /** Ends it from outside of the loop, which then ends, too. */
  end(): void
}

/** So much waits for whoever reads slowly. What comes on top is not kept: it is asked for again when that has been read. */
const MAX_WAITING = 1000

/** One loop over a feed: where it is, what waits to be read, and whether what comes now is next. */
export interface Reader extends Following {
  /** The last that it took in; undefined: it begins where the feed is when it is told. */
  seq(): number | undefined
  /** All that it took in has been read, or it listens: it can be told more. */
  ready(): boolean
  /** From now on all behind `from` comes, in order; the feed itself is at `head`. */
  told(position: { from: number; head: number }): void
  /** The next of the feed. Answers whether the reader took it. */
  push(entry: Entry): boolean
  /** The feed is here now, and nothing of what led to it is told here. */
  skipTo(seq: number): void
  /** After what waits there is nothing more. */
  finish(error?: CallError): void
}

export function createReader(options: {
  /** Begin behind this one. */
  lastSeq?: number | undefined
  /** Which entries it is for; the others only count. */
  takes?: ((entry: Entry) => boolean) | undefined
  /** It can be told more, from behind `seq()`, and does not listen. */
  behind(): void
  ended(): void
}): Reader {
  const { takes = () => true, behind, ended } = options
  const waiting: (Entry | Gap)[] = []
  let seq = options.lastSeq
  let listening = false
  /** Something came for which there was no room. */
  let missed = false
  let over: { error?: CallError | undefined } | undefined
  let gone = false
  let wake = (): void => {}
  let begun = (): void => {}
  let failed = (_error: CallError | undefined): void => {}

  const following = new Promise<void>((resolve, reject) => {
    begun = resolve
    failed = reject
  })
  // Whoever does not look at it hears of the failure from the loop.
  following.catch(() => {})

  function end(): void {
    if (gone) return
    gone = true
    over ??= {}
    waiting.length = 0
    begun()
    wake()
    ended()
  }

  /** Whether there is room for what comes after `to - 1`, or for the gap before it. */
  function moveTo(to: number): boolean {
    if (!listening || over || seq === undefined || to <= seq) return false
    if (waiting.length >= MAX_WAITING) {
      listening = false
      missed = true
      return false
    }
    if (to > seq + 1) waiting.push({ name: 'gap', after: seq, before: to })
    seq = to
    return true
  }

  function askAgain(): void {
    missed = false
    behind()
  }

  async function* iterate(): AsyncGenerator<Entry | Gap> {
    try {
      for (;;) {
        const next = waiting.shift()
        if (next) yield next
        else if (over?.error) throw over.error
        else if (over) return
        else {
          const woken = new Promise<void>((resolve) => (wake = resolve))
          if (missed) askAgain()
          await woken
        }
      }
    } finally {
      end()
    }
  }

  return {
    following,
    end,
    seq: () => seq,
    ready: () => !over && (listening || waiting.length === 0),
    told({ from, head }) {
      if (over) return
      seq ??= head
      const room = listening || waiting.length === 0
      listening = room && seq >= from
      if (listening) missed = false
      if (listening) begun()
      else if (room) askAgain()
    },
    push(entry) {
      if (!moveTo(entry.seq)) return false
      const taken = takes(entry)
      if (taken) waiting.push(entry)
      if (waiting.length > 0) wake()
      return taken
    },
    skipTo(to) {
      if (moveTo(to) && waiting.length > 0) wake()
    },
    finish(error) {
      if (over) return
      over = { error }
      if (error) failed(error)
      else begun()
      wake()
    },
    [Symbol.asyncIterator]: iterate,
  }
}

/** From behind which entry a feed must be told so that all readers miss nothing; those that have not begun need nothing. */
export const oldest = (readers: Iterable<Reader>): number | undefined => {
  let found: number | undefined
  for (const reader of readers) {
    const seq = reader.ready() ? reader.seq() : undefined
    if (seq !== undefined && (found === undefined || seq < found)) found = seq
  }
  return found
}

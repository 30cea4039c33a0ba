import { pino, type Logger } from 'pino'

export type { Logger } from 'pino'

/** Whatever a client can write into the log by sending it, an Origin say, is cut. */
const MAX_CHARS = 500
/** Stacks are our own. */
const MAX_STACK_CHARS = 4000
const MAX_ENTRIES = 50
const MAX_DEPTH = 4

/**
 * So much, or so long, is gathered: a write for each line costs both us and PM2, which passes on every one, a tenth of the
 * time that a booking takes. A process that is killed takes what it has gathered with it; one that ends writes it first,
 * and a `fatal` line is written at once.
 */
const GATHERED_BYTES = 8192
const GATHERED_MS = 50

const stdout = pino.destination({ dest: 1, sync: false, minLength: GATHERED_BYTES })
let flushing: NodeJS.Timeout | undefined

/** Wakes for what has been gathered, not in between: a process at rest stays so. */
const gathered = {
  write(line: string): void {
    flushing ??= setTimeout(flush, GATHERED_MS).unref()
    stdout.write(line)
  },
  flushSync: () => stdout.flushSync(),
}

function flush(): void {
  flushing = undefined
  stdout.flush()
}

/** JSON lines on stdout, for PM2 to collect. `app` names the PM2 app. */
export const createLogger = (app: string, level: string): Logger =>
  pino(
    {
      level,
      base: { app, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { log: (line) => cut(line) as Record<string, unknown> },
      serializers: { err: (error: Error) => cut(pino.stdSerializers.err(error)) },
    },
    gathered,
  )

/** The value with long texts cut, long lists and deep objects ended. Errors are left to their serializer. */
export function cut(value: unknown, key = '', depth = 0): unknown {
  if (typeof value === 'string') return cutText(value, key === 'stack' ? MAX_STACK_CHARS : MAX_CHARS)
  if (typeof value !== 'object' || value === null || value instanceof Error || value instanceof Date) return value
  if ('toJSON' in value) return value
  if (depth >= MAX_DEPTH) return '...'
  if (Array.isArray(value)) return value.slice(0, MAX_ENTRIES).map((each) => cut(each, key, depth + 1))
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, MAX_ENTRIES)
      .map(([name, each]) => [cutText(name, MAX_CHARS), cut(each, name, depth + 1)]),
  )
}

const cutText = (text: string, most: number): string =>
  text.length <= most ? text : `${text.slice(0, most)}... (${text.length} characters)`

import { Worker } from 'node:worker_threads'

export interface StallWatch {
  begin(operation: string): void
  end(operation: string): void
  stop(): void
}

const BEAT_MS = 500
const STALLED_AFTER_MS = 10_000

/**
 * Ends this process when its event loop stands still: PM2 starts another, while one that spins would be `online` for
 * ever and answer nobody. A thread of its own watches, because nothing runs on this one then, and logs which operations
 * were under way. A call costs two additions in memory that both share.
 */
export function watchStalls(options: {
  app: string
  operations: readonly string[]
  stalledAfterMs?: number
}): StallWatch {
  const { app, operations, stalledAfterMs = STALLED_AFTER_MS } = options
  const places = new Map(operations.map((operation, i) => [operation, i + 1]))
  /** First the heart beats, then by operation how many are under way. */
  const shared = new Int32Array(new SharedArrayBuffer(4 * (1 + operations.length)))
  const add = (operation: string, change: 1 | -1): void => {
    const place = places.get(operation)
    if (place !== undefined) shared[place] = (shared[place] ?? 0) + change
  }
  const beat = setInterval(() => Atomics.add(shared, 0, 1), BEAT_MS)
  const worker = new Worker(WATCHER, {
    eval: true,
    execArgv: [],
    workerData: { app, operations, shared, stalledAfterMs },
    resourceLimits: { maxOldGenerationSizeMb: 32 },
  })
  // They keep nothing alive.
  beat.unref()
  worker.unref()
  return {
    begin: (operation) => add(operation, 1),
    end: (operation) => add(operation, -1),
    stop() {
      clearInterval(beat)
      void worker.terminate()
    },
  }
}

/**
 * As a text: a thread does not load TypeScript, and in development there is nothing else. It counts looks, not
 * milliseconds: time in which the whole process was stopped does not count. It writes to the file itself, because the
 * streams of a thread are written by the main one, which can't handle a milder signal either.
 */
const WATCHER = `
const { writeSync } = require('node:fs')
const { app, operations, shared, stalledAfterMs } = require('node:worker_threads').workerData
const LOOKS = 10
let lastBeat = -1
let missed = 0
setInterval(() => {
  const beat = Atomics.load(shared, 0)
  missed = beat === lastBeat ? missed + 1 : 0
  lastBeat = beat
  if (missed < LOOKS) return
  const underWay = operations.filter((_, i) => Atomics.load(shared, i + 1) > 0)
  const line = { level: 60, time: Date.now(), app, underWay, stalledMs: stalledAfterMs, msg: 'event loop stalled' }
  try {
    writeSync(1, JSON.stringify(line) + '\\n')
  } finally {
    process.kill(process.pid, 'SIGKILL')
  }
}, stalledAfterMs / LOOKS)
`

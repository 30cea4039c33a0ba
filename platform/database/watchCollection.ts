import type { mongo } from 'mongoose'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '../lib/log.js'
import { paced, STREAM_WAIT_MS } from './pacedStream.js'

const REOPEN_MS = 500

/**
 * Calls back when something that matches is written to a collection, and whenever the stream begins anew: something may
 * have come before. Best effort, and not once a change: it says that a look is worth while, and whoever must not miss
 * anything looks by itself now and then.
 */
export function watchCollection(
  collection: mongo.Collection,
  options: { match: object; changed: () => void; log: Logger },
): { close(): Promise<void> } {
  const { match, changed, log } = options
  const closing = new AbortController()
  let stream: mongo.ChangeStream | undefined

  async function follow(): Promise<void> {
    stream = collection.watch([{ $match: match }, { $project: { _id: 1 } }], { maxAwaitTimeMS: STREAM_WAIT_MS })
    const changes = paced(stream, changed)
    while (!(await changes.next()).done) changed()
  }

  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      await follow().catch((error: unknown) => {
        const { collectionName } = collection
        if (!closing.signal.aborted)
          log.warn({ reason: (error as Error).message, collection: collectionName }, 'the stream of a collection broke')
      })
      await sleep(REOPEN_MS, undefined, closing).catch(() => {})
    }
  }

  const running = run()
  return {
    async close() {
      closing.abort()
      await stream?.close().catch(() => {})
      await running
    },
  }
}

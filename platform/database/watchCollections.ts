import type { mongo } from 'mongoose'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '../lib/log.js'
import { paced, STREAM_WAIT_MS } from './pacedStream.js'

const REOPEN_MS = 500

/**
 * Calls back when something is inserted into one of a database's collections, with its name, and for all of them whenever
 * the stream begins anew: something may have come before. Best effort, and not once a change: it says that a look is worth
 * while, and whoever must not miss anything looks by itself now and then.
 *
 * One stream for all of them: to each the server shows whatever is written anywhere.
 */
export function watchCollections(
  db: mongo.Db,
  collections: readonly string[],
  options: { inserted: (collection: string) => void; log: Logger },
): { close(): Promise<void> } {
  const { inserted, log } = options
  // The whole namespace: it is compared as it stands, where its parts alone would be a regular expression.
  const ns = { $in: collections.map((coll) => ({ db: db.databaseName, coll })) }
  const pipeline = [{ $match: { operationType: 'insert', ns } }, { $project: { ns: 1 } }]
  const closing = new AbortController()
  let stream: mongo.ChangeStream | undefined

  async function follow(): Promise<void> {
    stream = db.watch(pipeline, { maxAwaitTimeMS: STREAM_WAIT_MS })
    const changes = paced(stream, () => collections.forEach(inserted))
    for await (const change of changes) inserted((change as mongo.ChangeStreamInsertDocument).ns.coll)
  }

  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      await follow().catch((error: unknown) => {
        if (!closing.signal.aborted)
          log.warn({ reason: (error as Error).message, collections }, 'the stream of collections broke')
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

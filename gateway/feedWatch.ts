import mongoose from 'mongoose'
import { setTimeout as sleep } from 'node:timers/promises'
import { databaseName, type Config } from '../config/index.js'
import { FEED_ENTRIES, presentEntry, type Entry } from '../functions/feeds/contract.js'
import { clientOptions } from '../platform/database/database.js'
import type { Logger } from '../platform/lib/log.js'
import { paced, STREAM_WAIT_MS } from '../platform/database/pacedStream.js'

type StoredEntry = Parameters<typeof presentEntry>[0]

const REOPEN_MS = 1000

/** Calls back for each entry that is appended to any feed, until closed. Best effort: `opened` says that some may have been missed. */
export type WatchFeeds = (listener: { appended(entry: Entry): void; opened(): void }) => { close(): Promise<void> }

/**
 * A change stream on the entries of feeds: the one thing that the gateway takes from a database, because a call to a
 * function would be later, and only for the time when something happens. A stream that dies is opened anew, from now on.
 */
export function watchFeeds(config: Pick<Config, 'mongodbUri' | 'deadlinesMs'>, log: Logger): WatchFeeds {
  return ({ appended, opened }) => {
    const uri = config.mongodbUri('feeds')
    const client = new mongoose.mongo.MongoClient(uri, {
      ...clientOptions(config),
      maxPoolSize: 2,
    })
    const stopping = new AbortController()
    let stream:
      mongoose.mongo.ChangeStream<StoredEntry, mongoose.mongo.ChangeStreamInsertDocument<StoredEntry>> | undefined

    async function follow(): Promise<void> {
      stream = client
        .db(databaseName(uri))
        .collection<StoredEntry>(FEED_ENTRIES)
        .watch([{ $match: { operationType: 'insert' } }], { maxAwaitTimeMS: STREAM_WAIT_MS })
      for await (const { fullDocument } of paced(stream, opened)) appended(presentEntry(fullDocument))
    }

    async function run(): Promise<void> {
      while (!stopping.signal.aborted) {
        await follow().catch((error: unknown) => {
          if (!stopping.signal.aborted)
            log.warn({ reason: (error as Error).message }, 'the stream of feed entries broke')
        })
        await sleep(REOPEN_MS, undefined, stopping).catch(() => {})
      }
    }

    const running = run()
    return {
      async close() {
        stopping.abort()
        await stream?.close().catch(() => {})
        await client.close()
        await running
      },
    }
  }
}

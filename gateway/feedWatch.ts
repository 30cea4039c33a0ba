import mongoose from 'mongoose'
import type { Config } from '../config/index.js'
import { FEED_ENTRIES, presentEntry, type Entry } from '../functions/feeds/contract.js'
import { databaseName } from '../platform/database.js'
import type { Logger } from '../platform/log.js'

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
      readConcernLevel: 'majority',
      maxPoolSize: 2,
      serverSelectionTimeoutMS: config.deadlinesMs.quick,
    })
    let closed = false
    let timer: NodeJS.Timeout | undefined
    let stream: mongoose.mongo.ChangeStream | undefined

    function open(): void {
      if (closed) return
      stream = client
        .db(databaseName(uri))
        .collection(FEED_ENTRIES)
        .watch([{ $match: { operationType: 'insert' } }])
      stream.once('init', opened)
      stream.on('change', (change) => {
        if (change.operationType === 'insert') appended(presentEntry(change.fullDocument as StoredEntry))
      })
      // `close` comes after `error` too.
      stream.on('error', (error) => log.warn({ reason: error.message }, 'the stream of feed entries broke'))
      stream.once('close', () => {
        if (!closed) timer = setTimeout(open, REOPEN_MS)
      })
    }

    open()
    return {
      async close() {
        closed = true
        clearTimeout(timer)
        await stream?.close().catch(() => {})
        await client.close()
      },
    }
  }
}

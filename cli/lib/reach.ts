import mongoose from 'mongoose'
import { databaseName, placeOf, type Config } from '../../config/index.js'
import { refuseUnfit, ServerUnfit } from '../../platform/database/server.js'
import { CommandFailure } from './command.js'
import { byUri, tellPlaces } from './places.js'

/** A person waits. */
const REACH_MS = 1500
const AUTHENTICATION_FAILED = 18

/**
 * Says which databases the command speaks of, and throws within two seconds, with a sentence, where one of them is out of
 * reach or can't carry the product.
 */
export async function reach(config: Config, domains: readonly string[]): Promise<void> {
  tellPlaces(config, domains)
  await refuseOutOfReach(config, domains)
}

export async function refuseOutOfReach(
  config: Config,
  domains: readonly string[],
  { timeoutMs = REACH_MS }: { timeoutMs?: number } = {},
): Promise<void> {
  const uris = [...byUri(config, domains).keys()]
  if (uris.includes('')) {
    throw new CommandFailure('There is no MongoDB yet: set MONGODB_URI, or run npm start, which starts one.')
  }
  await Promise.all(uris.map((uri) => look(uri, timeoutMs)))
}

async function look(uri: string, timeoutMs: number): Promise<void> {
  const client = new mongoose.mongo.MongoClient(uri, {
    serverSelectionTimeoutMS: timeoutMs,
    connectTimeoutMS: timeoutMs,
  })
  try {
    await client.connect()
    await refuseUnfit(client.db(databaseName(uri)), placeOf(uri))
  } catch (error) {
    if (error instanceof ServerUnfit) throw new CommandFailure(error.message)
    const { message, code } = error as Error & { code?: unknown }
    const what =
      code === AUTHENTICATION_FAILED
        ? `The MongoDB at ${placeOf(uri)} lets nobody in by this user and password (${message}).`
        : `MongoDB is out of reach at ${placeOf(uri)} (${message}). Does the system run? npm start starts it.`
    throw new CommandFailure(what, { cause: error })
  } finally {
    await client.close()
  }
}

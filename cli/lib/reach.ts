import mongoose from 'mongoose'
import { databaseName, placeOf, type Config } from '../../config/index.js'
import { refuseUnfit, ServerUnfit } from '../../platform/database/server.js'
import { CommandFailure } from './command.js'
import { settingsThatDiffer } from './running.js'

/** A person waits. */
const REACH_MS = 1500

/**
 * Says on stderr which databases the command speaks of, and throws within two seconds, with a sentence, where one of
 * them is out of reach or can't carry the product.
 */
export async function reach(config: Config, domains: readonly string[]): Promise<void> {
  const uris = new Map<string, string[]>()
  for (const domain of domains) {
    const uri = config.mongodbUri(domain)
    if (!uri) throw new CommandFailure('There is no MongoDB yet: set MONGODB_URI, or run npm start, which starts one.')
    uris.set(uri, [...(uris.get(uri) ?? []), domain])
  }
  for (const warning of config.warnings) console.error(`Beware: ${warning}`)
  for (const [uri, theirs] of uris) {
    console.error(`MongoDB: ${placeOf(uri)}${uris.size > 1 ? ` (${theirs.join(', ')})` : ''}`)
  }
  const differing = settingsThatDiffer(config)
  if (differing.length > 0) {
    console.error(
      `Beware: what runs in PM2_HOME=${config.pm2Home} has other settings than this command: ${differing.join(', ')}`,
    )
  }
  await Promise.all([...uris.keys()].map(look))
}

async function look(uri: string): Promise<void> {
  const client = new mongoose.mongo.MongoClient(uri, { serverSelectionTimeoutMS: REACH_MS, connectTimeoutMS: REACH_MS })
  try {
    await client.connect()
    await refuseUnfit(client.db(databaseName(uri)), placeOf(uri))
  } catch (error) {
    if (error instanceof ServerUnfit) throw new CommandFailure(error.message)
    const why = (error as Error).message
    throw new CommandFailure(
      `MongoDB is out of reach at ${placeOf(uri)} (${why}). Does the system run? npm start starts it.`,
      { cause: error },
    )
  } finally {
    await client.close()
  }
}

import type { mongo } from 'mongoose'
import { ACCEPTED } from './arms/arm.js'
import { outcomeOfError } from './arms/documents.js'
import { closedLoop } from './load.js'
import type { Ceiling } from './results.js'

/** Measures single inserts at majority, so many at a time, of documents like those of bookings. */
export async function measureCeiling(db: mongo.Db, inFlight: number, seconds: number): Promise<Ceiling> {
  const collection = db.collection('ceiling')
  const tally = await closedLoop({
    inFlight,
    warmUpMs: 500,
    measureMs: seconds * 1000,
    next: () => ({ state: 'INITIAL', at: new Date(), filler: 'x'.repeat(200) }),
    send: (document) =>
      collection.insertOne(document, { writeConcern: { w: 'majority' } }).then(() => ACCEPTED, outcomeOfError),
    done: () => {},
    onWindow: () => Promise.resolve(),
  })
  await collection.drop()
  return { inFlight, writesPerSecond: tally.accepted / tally.seconds }
}

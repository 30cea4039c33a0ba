import type mongoose from 'mongoose'
import bookings from '../../migrations/bookings/0001-bookings.js'
import cars from '../../migrations/bookings/0002-cars.js'
import rooms from '../../migrations/bookings/0003-rooms.js'
import calendars from '../../migrations/calendars/0001-calendars.js'
import charges from '../../migrations/payments/0002-charges.js'
import users from '../../migrations/users/0001-users.js'
import type { Migration } from '../../platform/migrations/migration.js'
import type { Filter } from '../../protocol/store.js'
import type { CollectionName, CollectionRules, Rules } from './snapshot.js'

interface IndexOptions {
  unique?: boolean
  partialFilterExpression?: Filter
}

/** The unique indexes that the migrations make: what refuses an insert. */
export async function rulesOfMigrations(): Promise<Rules> {
  return {
    bookings: await uniqueIndexes('bookings', bookings),
    cars: await uniqueIndexes('cars', cars),
    rooms: await uniqueIndexes('rooms', rooms),
    users: await uniqueIndexes('users', users),
    charges: await uniqueIndexes('charges', charges),
    bookingLog: await uniqueIndexes('bookingLog', calendars),
    // Stand-ins: an id is all that is unique in them.
    accounts: { unique: [] },
    stripe: { unique: [] },
  }
}

async function uniqueIndexes(name: CollectionName, migration: Migration): Promise<CollectionRules> {
  const unique: CollectionRules['unique'] = []
  const add = (key: object, options: IndexOptions) => {
    if (options.unique) unique.push({ fields: Object.keys(key), where: options.partialFilterExpression ?? {} })
  }
  const db = {
    command: () => Promise.resolve(),
    listCollections: () => ({ toArray: () => Promise.resolve([]) }),
    collection: (collection: string) => ({
      createIndex: (key: object, options: IndexOptions) => Promise.resolve(collection === name && add(key, options)),
      createIndexes: (indexes: (IndexOptions & { key: object })[]) =>
        Promise.resolve(indexes.forEach((index) => collection === name && add(index.key, index))),
    }),
  }
  await migration.up(db as unknown as mongoose.mongo.Db)
  return { unique }
}

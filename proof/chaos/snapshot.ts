import mongoose from 'mongoose'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { databaseName } from '../../config/index.js'
import { OWN_APP_NAME } from '../support/proxy.js'

const { MongoClient } = mongoose.mongo

/** What may be booked here. */
export const KINDS = ['car', 'room'] as const
export type Kind = (typeof KINDS)[number]

/** Our own view of the documents, as the public contract names them; money as safe integers, ids as hex. */
export interface BookingRecord {
  id: string
  userId: string
  kind: Kind
  /** What it is of. */
  thingId: string
  from: number
  to: number
  cost: number
  state: string
  reason?: string
  reverses?: string
  parked: boolean
  createdAt: number
  lastModified: number
  /** How often somebody took it over. */
  repairs: number
}

export interface LedgerEntry {
  cause: string
  causeId: string
  change: number
}

export interface UserRecord {
  id: string
  balance: number
  bookings: string[]
  pendingBookings: string[]
  tombstones: string[]
  recent: LedgerEntry[]
  archived: { count: number; balance: number }
}

/** Of cars the instants, of rooms the days of their zone, `YYYY-MM-DD`: the first night's, and that of leaving. */
export interface HeldRecord<At> {
  id: string
  from: At
  to: At
}

interface ThingRecord<At> {
  id: string
  bookings: HeldRecord<At>[]
  pendingBookings: string[]
  tombstones: string[]
}
export type CarRecord = ThingRecord<number>
export interface RoomRecord extends ThingRecord<string> {
  units: number
  timeZone: string
}

export interface TransferRecord {
  id: string
  kind: 'deposit' | 'withdrawal'
  userId: string
  amount: number
  state: string
}

export interface ArchivedEntry extends LedgerEntry {
  userId: string
  number: number
  balanceAfter: number
}

/** All books at one moment: nothing in it is from before or after anything else in it. */
export interface Snapshot {
  /** Orders snapshots: seconds and a counter, as MongoDB's cluster time has them. */
  at: bigint
  bookings: BookingRecord[]
  users: UserRecord[]
  cars: CarRecord[]
  rooms: RoomRecord[]
  transfers: TransferRecord[]
  archive: ArchivedEntry[]
}

export interface Books {
  /** Majority-committed, at one point of the cluster's time. Throws while no primary answers. */
  read(): Promise<Snapshot>
  /** Writes all documents as they are into files, one a collection: what somebody who looks for the cause needs. */
  dump(directory: string): Promise<void>
  close(): Promise<void>
}

export async function openBooks(uri: string): Promise<Books> {
  const client = await new MongoClient(uri, {
    appName: OWN_APP_NAME,
    serverSelectionTimeoutMS: 2000,
    socketTimeoutMS: 20_000,
    retryReads: false,
  }).connect()
  const db = client.db(databaseName(uri))

  return {
    async read() {
      const session = client.startSession({ snapshot: true })
      try {
        const all = (name: string): Promise<Raw[]> =>
          db.collection(name).find({}, { session, batchSize: 5000 }).toArray()
        // The first read fixes the moment; the others follow it.
        const users = (await all('users')).map(userOf)
        const cars = (await all('cars')).map(carOf)
        const rooms = (await all('rooms')).map(roomOf)
        const bookings = (await all('bookings')).map(bookingOf)
        const deposits = (await all('deposits')).map(transferOf('deposit'))
        const withdrawals = (await all('withdrawals')).map(transferOf('withdrawal'))
        const archive = (await all('ledger')).map(archivedOf)
        // The driver keeps it without declaring it.
        const { snapshotTime } = session as { snapshotTime?: mongoose.mongo.Timestamp }
        if (!snapshotTime) throw new Error('The server did not say at which time it read')
        return {
          at: snapshotTime.toBigInt(),
          users,
          cars,
          rooms,
          bookings,
          transfers: [...deposits, ...withdrawals],
          archive,
        }
      } finally {
        await session.endSession()
      }
    },
    async dump(directory) {
      for (const { name } of await db.listCollections().toArray()) {
        const documents = await db.collection(name).find().toArray()
        const lines = documents.map((each) => `${mongoose.mongo.BSON.EJSON.stringify(each)}\n`)
        await writeFile(join(directory, `${name}.jsonl`), lines.join(''))
      }
    },
    close: () => client.close(true),
  }
}

type Raw = Record<string, unknown>

/** Object ids as hex. */
const text = (value: unknown): string => String(value)
const ids = (list: unknown): string[] => (list as unknown[]).map(text)

const kindOf = (raw: Raw): Kind => (raw['roomId'] === undefined ? 'car' : 'room')

const bookingOf = (raw: Raw): BookingRecord => ({
  id: text(raw['_id']),
  userId: text(raw['userId']),
  kind: kindOf(raw),
  thingId: text(raw[`${kindOf(raw)}Id`]),
  from: Number(raw['from']),
  to: Number(raw['to']),
  cost: Number(raw['cost']),
  state: text(raw['state']),
  ...(raw['reason'] !== undefined && { reason: text(raw['reason']) }),
  ...(raw['reverses'] !== undefined && { reverses: text(raw['reverses']) }),
  parked: raw['parked'] === true,
  createdAt: Number(raw['createdAt']),
  lastModified: Number(raw['lastModified']),
  repairs: (raw['repairs'] as unknown[]).length,
})

const entryOf = (raw: Raw): LedgerEntry => ({
  cause: text(raw['cause']),
  causeId: text(raw['causeId']),
  change: Number(raw['change']),
})

const userOf = (raw: Raw): UserRecord => ({
  id: text(raw['_id']),
  balance: Number(raw['balance']),
  bookings: ids(raw['bookings']),
  pendingBookings: ids(raw['pendingBookings']),
  tombstones: ids(raw['tombstones']),
  recent: (raw['recentLedger'] as Raw[]).map(entryOf),
  archived: {
    count: Number((raw['archivedLedger'] as Raw)['count']),
    balance: Number((raw['archivedLedger'] as Raw)['balance']),
  },
})

const thingOf = <At>(raw: Raw, at: (value: unknown) => At): ThingRecord<At> => ({
  id: text(raw['_id']),
  bookings: (raw['bookings'] as Raw[]).map((each) => ({
    id: text(each['_id']),
    from: at(each['from']),
    to: at(each['to']),
  })),
  pendingBookings: ids(raw['pendingBookings']),
  tombstones: ids(raw['tombstones']),
})

const carOf = (raw: Raw): CarRecord => thingOf(raw, Number)

const roomOf = (raw: Raw): RoomRecord => ({
  ...thingOf(raw, text),
  units: Number(raw['units']),
  timeZone: text(raw['timeZone']),
})

const transferOf =
  (kind: TransferRecord['kind']) =>
  (raw: Raw): TransferRecord => ({
    id: text(raw['_id']),
    kind,
    userId: text(raw['userId']),
    amount: Number(raw['amount']),
    state: text(raw['state']),
  })

const archivedOf = (raw: Raw): ArchivedEntry => ({
  ...entryOf(raw),
  userId: text(raw['userId']),
  number: Number(raw['number']),
  balanceAfter: Number(raw['balanceAfter']),
})

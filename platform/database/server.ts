import type { mongo } from 'mongoose'

/** Partial indexes with $in, which the bookings rely on, came with it. */
export const OLDEST_MAJOR = 6
/** Less is drift, which harms nothing: times are compared with margins of minutes. */
const MAX_CLOCK_OFF_MS = 60_000

/** A server that can't keep what is promised. The message says what to do. */
export class ServerUnfit extends Error {
  override readonly name = 'ServerUnfit'
}

interface Hello {
  setName?: string
  /** Of a mongos: isdbgrid. */
  msg?: string
  localTime: Date
}

/** Throws a ServerUnfit where this database can't carry the product. `place`: how people know it. */
export async function refuseUnfit(db: mongo.Db, place: string): Promise<void> {
  const askedAtMs = Date.now()
  const hello = (await db.command({ hello: 1 })) as unknown as Hello
  const answeredAtMs = Date.now()
  const { version } = (await db.command({ buildInfo: 1 })) as unknown as { version: string }
  const complaint = complaintOf(hello, version, (askedAtMs + answeredAtMs) / 2)
  if (complaint) throw new ServerUnfit(`The MongoDB at ${place} ${complaint}`)
}

export function complaintOf({ setName, msg, localTime }: Hello, version: string, nowMs: number): string | undefined {
  if (Number.parseInt(version) < OLDEST_MAJOR)
    return `is ${version}: Holdfast needs ${OLDEST_MAJOR}.0 or later. Upgrade it, or set MONGODB_URI to another.`
  if (setName === undefined && msg !== 'isdbgrid') {
    return 'is a standalone server, without transactions and change streams. Start it with --replSet <name>, run rs.initiate() once in mongosh, and add ?replicaSet=<name> to MONGODB_URI.'
  }
  const offMs = localTime.getTime() - nowMs
  if (Math.abs(offMs) > MAX_CLOCK_OFF_MS) {
    return `has a clock that is ${Math.round(Math.abs(offMs) / 1000)} s ${offMs > 0 ? 'ahead of' : 'behind'} this machine's. Set both by NTP, then try again.`
  }
  return undefined
}

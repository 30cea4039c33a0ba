import type { mongo } from 'mongoose'

/** Partial indexes with $in, which the bookings rely on, came with it. */
export const OLDEST_MAJOR = 6
/** Less is drift, which harms nothing: times are compared with margins of minutes. */
const MAX_CLOCK_OFF_MS = 60_000
/**
 * What functions do in their database, and what migrations do there besides: validators of collections that exist, and
 * `down`. Transactions want no right of their own. The roles readWrite and dbAdmin together have it all.
 */
export const NEEDED_ACTIONS = [
  ...['find', 'insert', 'update', 'remove', 'changeStream', 'listCollections'],
  ...['createCollection', 'createIndex', 'dropIndex', 'collMod'],
] as const

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
  const complaint =
    complaintOf(hello, version, (askedAtMs + answeredAtMs) / 2) ??
    complaintOfRights(await rightsIn(db), db.databaseName)
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

interface Privilege {
  resource: { db?: string; collection?: string; anyResource?: boolean }
  actions: string[]
}

interface Rights {
  /** None: nobody has signed in. */
  users: readonly { user: string; db: string }[]
  privileges: readonly Privilege[]
}

const UNAUTHORIZED = 13

/** 'all' where the server controls no access. */
async function rightsIn(db: mongo.Db): Promise<Rights | 'all'> {
  const { authInfo } = (await db.command({ connectionStatus: 1, showPrivileges: true })) as unknown as {
    authInfo: { authenticatedUsers: Rights['users']; authenticatedUserPrivileges: Privilege[] }
  }
  const rights = { users: authInfo.authenticatedUsers, privileges: authInfo.authenticatedUserPrivileges }
  if (rights.users.length > 0) return rights
  try {
    await db.command({ listCollections: 1, nameOnly: true })
    return 'all'
  } catch (error) {
    if ((error as { code?: unknown }).code === UNAUTHORIZED) return rights
    throw error
  }
}

/** Before anything is done with rights that end in the middle of it. */
export function complaintOfRights(rights: Rights | 'all', database: string): string | undefined {
  if (rights === 'all') return undefined
  const [signedIn] = rights.users
  if (!signedIn) return 'wants a user and a password: put them into MONGODB_URI, mongodb://<user>:<password>@...'
  const held = new Set(
    rights.privileges.filter(({ resource }) => covers(resource, database)).flatMap(({ actions }) => actions),
  )
  const missing = NEEDED_ACTIONS.filter((action) => !held.has(action))
  if (missing.length === 0) return undefined
  const roles = ['readWrite', 'dbAdmin'].map((role) => `{role: "${role}", db: "${database}"}`)
  return `does not let the user "${signedIn.user}" do all that Holdfast does in the database "${database}": ${missing.join(', ')}. In mongosh: use ${signedIn.db}; db.grantRolesToUser("${signedIn.user}", [${roles.join(', ')}])`
}

/** Of a whole database; rights on single collections would end at the first new one. */
const covers = ({ anyResource, db, collection }: Privilege['resource'], database: string): boolean =>
  anyResource === true || (collection === '' && (db === '' || db === database))

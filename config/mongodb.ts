import { ConnectionString } from 'mongodb-connection-string-url'

export const DEFAULT_DATABASE = 'holdfast'

/** The database that a URI names, by the driver's own parser; `holdfast` where it names none. */
export const databaseName = (uri: string): string =>
  decodeURIComponent(new ConnectionString(uri).pathname.slice(1)) || DEFAULT_DATABASE

/** Where a URI leads, without who goes there: `db1.example.net,db2.example.net/holdfast`. */
export function placeOf(uri: string): string {
  if (!uri) return 'none yet'
  return `${new ConnectionString(uri).hosts.join(',')}/${databaseName(uri)}`
}

/**
 * What the protocol relies on stands in code, for every client that is opened. A URI that asks for less is refused
 * rather than overruled: who wrote it expects something of it. (`retryWrites`, which MongoDB's own examples carry, is
 * overruled.)
 */
const PINNED = new Map([
  ['readpreference', 'primary'],
  ['readconcernlevel', 'majority'],
  ['w', 'majority'],
  ['journal', 'true'],
  ['j', 'true'],
])
/** They mean a read elsewhere, or a write that gives up while it is under way: no value of them would do. */
const WITHOUT = ['readpreferencetags', 'maxstalenessseconds', 'wtimeout', 'wtimeoutms', 'timeoutms']

/** Why a URI can't be used; never repeats it, for it may hold a password. */
export function complaintOf(uri: string): string | undefined {
  if (!/^mongodb(\+srv)?:\/\//.test(uri)) return 'must be a mongodb:// or mongodb+srv:// URI'
  let parsed: ConnectionString
  let name: string
  try {
    parsed = new ConnectionString(uri)
    name = databaseName(uri)
  } catch {
    return 'is no URI that the MongoDB driver can read (are special characters of the password percent-encoded?)'
  }
  if (Buffer.byteLength(name) > 63 || /[/\\. "$*<>:|?\0]/.test(name)) return 'names a database as MongoDB allows none'
  for (const [option, value] of parsed.searchParams) {
    const pinned = PINNED.get(option.toLowerCase())
    if (WITHOUT.includes(option.toLowerCase()) || (pinned !== undefined && pinned !== value.toLowerCase())) {
      return `has the option ${option}=${value}, with which less could be promised: take it out`
    }
  }
  return undefined
}

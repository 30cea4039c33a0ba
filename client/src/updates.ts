import { CallError } from './errors.js'
import type { Operations } from './operations.js'

/** What can be read and updated, by the id that says which: `carId`, `roomId`, ... */
type Updatable = {
  [N in keyof Operations as N extends `update${infer K}` ? `${Uncapitalize<K>}Id` : never]: N extends `update${infer K}`
    ? `get${K}` extends keyof Operations
      ? { newest: Operations[`get${K}`]['data']; set: Operations[N]['input'] extends { set: infer S } ? S : never }
      : never
    : never
}

/** `{carId}`, `{roomId}`, ...: which entity, of which kind. */
export type Entity = { [K in keyof Updatable]: Record<K, string> }[keyof Updatable]

/** The entity as it stands. */
export type Newest<E> = Updatable[keyof E & keyof Updatable]['newest']
/** What may be set. */
export type Changes<E> = Updatable[keyof E & keyof Updatable]['set']

interface Versioned {
  version?: number
}

/** Others change the entity at the same time: so often, and no more, it is read anew. */
const TRIES = 10

/**
 * Reads, changes, and where somebody else was faster reads and changes again. Where no answer to a change comes, the version
 * tells: as long as it is the one that was read, nothing has been done, and the same change under the same version is done
 * once at most.
 */
export async function updateEntity(
  call: (operation: string, input: object) => Promise<unknown>,
  entity: object,
  change: (newest: never) => object | undefined,
): Promise<unknown> {
  const [key = ''] = Object.keys(entity)
  const kind = key.charAt(0).toUpperCase() + key.slice(1, -'Id'.length)
  for (let attempt = 1, tried: number | undefined; ; attempt++) {
    const newest = (await call(`get${kind}`, entity)) as Versioned
    const { version } = newest
    if (tried !== undefined && tried !== version) throw undecided(`update${kind}`)
    const set = change(newest as never)
    if (!set) return newest
    try {
      return await call(`update${kind}`, { ...entity, version, set })
    } catch (error) {
      if (!(error instanceof CallError) || attempt >= TRIES) throw error
      if (error.code === 'version_conflict') continue
      if (error.code !== 'deadline_exceeded' && error.code !== 'unavailable') throw error
      tried = version
    }
  }
}

const undecided = (operation: string): CallError =>
  new CallError(
    {
      code: 'deadline_exceeded',
      message: 'No answer came, and the entity has changed since: whether it was by this update is unknown. Read it.',
      retryable: false,
      requestId: '',
    },
    operation,
  )

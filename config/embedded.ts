import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'

/** Where to look for the mongod of development and tests. Tests need it where no other setting is. */
export interface MongodSettings {
  /** The binary to use, whatever else there is; empty: look for one. */
  systemBinary: string
  /** The directories of PATH. */
  path: string[]
  /** Where a fetched binary is kept. */
  cacheDir: string
}

export const mongodSettings = (env: NodeJS.ProcessEnv = process.env): MongodSettings => ({
  systemBinary: env['MONGOMS_SYSTEM_BINARY'] ?? '',
  path: (env['PATH'] ?? '').split(delimiter).filter(Boolean),
  cacheDir: join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'holdfast'),
})

/** Where the embedded mongod listens, as `npm start` left it in DATA_DIR. */
export const embeddedUriFile = (dataDir: string): string => join(dataDir, 'mongod.uri')

export function embeddedUri(dataDir: string): string {
  return readIfThere(embeddedUriFile(dataDir))?.trim() ?? ''
}

export function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

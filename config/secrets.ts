import { randomBytes } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { readIfThere } from './embedded.js'

/** Made at random once and kept; what the environment sets wins. */
export function developmentSecrets(dataDir: string, set: { authSecret: string; clusterSecret: string }) {
  if (set.authSecret && set.clusterSecret) return set
  const file = join(dataDir, 'secrets.json')
  if (!readIfThere(file)) {
    mkdirSync(dataDir, { recursive: true })
    const made = { authSecret: randomBytes(32).toString('hex'), clusterSecret: randomBytes(32).toString('hex') }
    try {
      // wx: of two starters one makes the file, the other reads it.
      const fd = openSync(file, 'wx', 0o600)
      writeSync(fd, JSON.stringify(made))
      closeSync(fd)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
  const kept = JSON.parse(readFileSync(file, 'utf8')) as { authSecret: string; clusterSecret: string }
  return { authSecret: set.authSecret || kept.authSecret, clusterSecret: set.clusterSecret || kept.clusterSecret }
}

import { createHmac } from 'node:crypto'
import type { Config } from '../../config/index.js'

/**
 * Stands for a network address, or whatever else must be known again without being stored: the same each time, and
 * without the secret nobody finds out by guessing what it stands for.
 */
export const standInFor = ({ clusterSecret }: Pick<Config, 'clusterSecret'>, known: string): string =>
  createHmac('sha256', clusterSecret).update(known).digest('base64url').slice(0, 22)

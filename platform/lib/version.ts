import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Of this package. Compiled files lie one directory deeper below package.json than their sources. */
export function readVersion(from = dirname(fileURLToPath(import.meta.url))): string {
  const file = join(from, 'package.json')
  if (!existsSync(file)) return readVersion(dirname(from))
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

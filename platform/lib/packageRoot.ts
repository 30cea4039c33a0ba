import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The directory of package.json: the checkout, whether its sources run or a build of them does. */
export const PACKAGE_ROOT = above(dirname(fileURLToPath(import.meta.url)))

function above(directory: string): string {
  if (existsSync(join(directory, 'package.json'))) return directory
  const parent = dirname(directory)
  if (parent === directory) throw new Error('There is no package.json above the code that runs')
  return above(parent)
}

import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { PACKAGE_ROOT as ROOT } from '../../platform/lib/packageRoot.js'

/**
 * The end of `npm run build`: the compiler leaves the output of a source that is gone, and the tree of dist/functions
 * is the list of operations.
 */
const dist = join(ROOT, 'dist')
for (const file of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
  const source = /^(.*)\.js(\.map)?$/.exec(file)?.[1]
  if (source && !existsSync(join(ROOT, `${source}.ts`))) rmSync(join(dist, file))
}

import { writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { PACKAGE_ROOT } from '../platform/lib/packageRoot.js'
import { reference } from './lib/reference.js'
import { command } from './lib/command.js'

const USAGE = `npm run docs

Writes docs/operations.md, docs/events.md, docs/errors.md, docs/settings.md, docs/states.md, docs/reference.html and docs/asyncapi.json from the contracts, the
vocabulary of errors, the settings and the table of states, docs/cookbook.md from docs/cookbook/, and client/src/operations.ts, the
client's types.`

await command(USAGE, {}, async () => {
  // Late: it is there in development alone.
  const { format, resolveConfig } = await import('prettier')
  for (const [page, text] of await reference()) {
    const file = join(PACKAGE_ROOT, 'docs', page)
    const options = { ...(await resolveConfig(file)), filepath: file }
    await writeFile(file, page.endsWith('.html') ? text : await format(text, options))
    console.log(relative(PACKAGE_ROOT, file))
  }
})

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PACKAGE_ROOT } from '../platform/lib/packageRoot.js'
import { reference } from './lib/reference.js'
import { command } from './lib/command.js'

const USAGE = `npm run docs

Writes docs/operations.md, docs/events.md, docs/errors.md, docs/settings.md and docs/states.md from the contracts, the vocabulary of errors, the
settings and the table of states, and client/src/operations.ts, the client's types.`

await command(USAGE, {}, async () => {
  for (const [file, text] of await reference()) {
    await writeFile(join(PACKAGE_ROOT, 'docs', file), text)
    console.log(file.startsWith('../') ? file.slice(3) : `docs/${file}`)
  }
})

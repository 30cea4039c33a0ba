import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

// PM2 reads this file with require(), so nothing here may be asynchronous. The imports are late, so that a tree that is
// not built yet gets a sentence instead of a stack.
const root = fileURLToPath(new URL('.', import.meta.url))
if (!existsSync(new URL('dist/platform/app/ecosystem.js', import.meta.url))) {
  throw new Error('Not built yet: run "npm run build" first ("npm start" does it by itself).')
}
const require = createRequire(import.meta.url)
const { loadConfig } = require('./dist/config/index.js')
const { ecosystem } = require('./dist/platform/app/ecosystem.js')

export const apps = ecosystem(loadConfig(), root)

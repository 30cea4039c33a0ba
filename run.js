import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 *     node run.js <command>   runs dist/cli/<command>.js
 *
 * Plain JavaScript, for where nothing is compiled yet: who types a command before the first start is told so in a sentence.
 */
const [node, , name, ...words] = process.argv
const script = new URL(`dist/cli/${name}.js`, import.meta.url)
if (existsSync(script)) {
  process.argv = [node, fileURLToPath(script), ...words]
  await import(script.href)
} else {
  console.error('Not built yet: npm start builds and starts everything, npm run build builds alone.')
  process.exitCode = 1
}

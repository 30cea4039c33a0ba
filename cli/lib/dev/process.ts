import type { FromProcess, ToProcess } from './messages.js'
import { inWords } from './messages.js'

/**
 * The one process of `npm run dev`. cli/dev.ts starts it, tells it of saved functions, and replaces it when anything else
 * was saved. It loads everything first and says so, and takes the port and the jobs when it is told that the one before
 * it is gone. What does not load is told in words, so it is imported late.
 */
const tell = (message: FromProcess): void => void process.send?.(message)

let end = (): void => process.exit(0)
let reload = (_file: string): void => {}
const told = new Promise<void>((resolve) => {
  process.on('message', (message: ToProcess) => {
    if (message.do === 'begin') resolve()
    else if (message.do === 'reload') reload(message.file)
    else end()
  })
})
// The terminal sends Ctrl-C to all processes at once; cli/dev.ts says when it is this one's turn.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
process.on('disconnect', () => end())

try {
  const { load } = await import('./everything.js')
  const everything = await load(tell)
  reload = (file) => void everything.reload(file)
  end = () => void everything.end()
  tell({ is: 'loaded' })
  await told
  await everything.begin()
  tell({ is: 'ready' })
} catch (error) {
  tell({ is: 'failed', why: inWords(error) })
  end()
}

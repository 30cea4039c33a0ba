import test from 'ava'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const PROGRAM = fileURLToPath(new URL('../../support/stallingProcess.ts', import.meta.url))

async function run(t: { teardown(end: () => void): void }, mode: 'spins' | 'waits') {
  const child = fork(PROGRAM, [mode], { execArgv: ['--import=tsx'], stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })
  t.teardown(() => child.kill('SIGKILL'))
  let output = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text))
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
  return { code, signal, lines: output.split('\n').filter(Boolean) }
}

test('a process whose event loop stands still is ended, and its log names the operation', async (t) => {
  const { signal, lines } = await run(t, 'spins')
  t.is(signal, 'SIGKILL')
  t.like(JSON.parse(lines.at(-1) as string), {
    level: 60,
    app: 'test',
    msg: 'event loop stalled',
    underWay: ['test.spin', 'test.beside'],
  })
})

test('one that only waits goes on, and ends by itself', async (t) => {
  const { code, lines } = await run(t, 'waits')
  t.is(code, 0)
  t.deepEqual(lines, [])
})

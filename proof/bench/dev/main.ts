import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { io, type Socket } from 'socket.io-client'
import { command } from '../../../cli/lib/command.js'
import { freeTcpPorts } from '../../support/installation.js'
import { median } from '../../support/numbers.js'
import { copyTree, operationFile, startDev } from '../../support/treeCopy.js'
import { until } from '../../support/until.js'

const USAGE = `npm run bench:dev

How long after a file is saved npm run dev answers by it, through the gateway, as a connected client sees it: a function's
file (put in place alone), and a file that functions import (everything is loaded anew). In a copy of the tree.`

const SAVES = { function: 21, everything: 3 }
const PATIENCE = { timeoutMs: 60_000, what: 'the new answer' }

await command(USAGE, {}, async () => {
  const tree = await copyTree()
  const data = await mkdtemp(join(tmpdir(), 'holdfast-dev-'))
  const [port] = (await freeTcpPorts(1)) as [number]
  const dev = startDev(tree.root, { ...process.env, DATA_DIR: data, GATEWAY_PORT: String(port) })
  let socket: Socket | undefined
  try {
    const token = (await dev.says(/token of an admin: /)).split(' ').at(-1) as string
    const client = (socket = io(`http://127.0.0.1:${port}`, { transports: ['websocket'], auth: { token } }))
    const path = operationFile(tree.root, 'getCar')
    const source = await readFile(path, 'utf8')
    const save = (n: number): Promise<void> =>
      writeFile(path, source.replace('There is no car ', `There is no ${n}th car `))
    const answers = (n: number) => until(async () => (await message(client)).includes(`no ${n}th car`), PATIENCE)

    const alone = await measure(SAVES.function, async (n) => {
      await save(n)
      await answers(n)
    })
    console.log(figures('a function', alone))
    const errors = join(tree.root, 'platform/contract/errors.ts')
    const all = await measure(SAVES.everything, async (n) => {
      await Promise.all([save(-n), appendFile(errors, `// ${n}\n`)])
      await dev.says(/All reloaded/, dev.lines.length)
      await answers(-n)
    })
    console.log(figures('everything', all))
  } finally {
    socket?.disconnect()
    await dev.interrupt()
    await tree.remove()
    await rm(data, { recursive: true, force: true })
  }
})

async function measure(saves: number, once: (n: number) => Promise<unknown>): Promise<number[]> {
  const taken: number[] = []
  for (let n = 1; n <= saves; n++) {
    const startedAt = performance.now()
    await once(n)
    taken.push(performance.now() - startedAt)
  }
  return taken
}

/** What getCar says of a car that does not exist. */
async function message(socket: Socket): Promise<string> {
  const answer = (await socket.timeout(60_000).emitWithAck('getCar', { carId: 'f'.repeat(24) })) as {
    error: { message: string }
  }
  return answer.error.message
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(2)
}

function figures(what: string, taken: number[]): string {
  return `${what} saved, in effect: median ${seconds(median(taken))} s, at most ${seconds(Math.max(...taken))} s (${taken.length} saves)`
}

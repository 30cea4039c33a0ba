import { io } from 'socket.io-client'
import { CommandFailure } from '../../../cli/lib/command.js'
import { alive, install, run, type Installation } from '../../support/installation.js'
import { copyTree } from '../../support/treeCopy.js'
import { until } from '../../support/until.js'

/** Each in milliseconds, one figure a round. */
export interface Starts {
  /** `npm start` in a fresh copy of the tree: the build, new data, every migration. MongoDB is on the machine. */
  first: number[]
  /** `npm start` with nothing to build and the data of before. */
  again: number[]
  /** From the kill of the one function process to the answer of a call that was sent right after it. */
  outage: number[]
}

const ANSWER_MS = 30_000

export async function measureStarts(rounds: number): Promise<Starts> {
  const starts: Starts = { first: [], again: [], outage: [] }
  const tree = await copyTree()
  try {
    const system = await install({}, tree.root)
    const npm = async (command: string): Promise<number> => {
      const startedAt = performance.now()
      const { code, output } = await run('npm', ['-s', command], tree.root, system.env)
      if (code !== 0) throw new CommandFailure(`npm ${command} failed:\n${output}`)
      return performance.now() - startedAt
    }
    try {
      starts.first.push(await npm('start'))
      for (let i = 0; i < rounds; i++) {
        await npm('stop')
        starts.again.push(await npm('start'))
        starts.outage.push(await outageOf(system))
      }
    } finally {
      await system.remove()
    }
  } finally {
    await tree.remove()
  }
  return starts
}

async function outageOf(system: Installation): Promise<number> {
  const [functions, ...others] = await system.rows('functions')
  if (!functions || others.length > 0) throw new CommandFailure('The functions do not share one process.')
  const socket = io(system.url, { transports: ['websocket'], forceNew: true })
  // Only a function can answer this: nobody has that address.
  const nobody = { email: 'nobody@example.com', password: 'no password of anybody' }
  const ask = async (): Promise<unknown> => {
    const answer = (await socket.timeout(ANSWER_MS).emitWithAck('signIn', nobody)) as { error?: { code: string } }
    return answer.error?.code
  }
  try {
    await until(async () => (await ask()) === 'unauthenticated')
    const killedAt = performance.now()
    process.kill(functions.pid, 'SIGKILL')
    await until(() => !alive(functions.pid))
    const code = await ask()
    if (code !== 'unauthenticated') throw new CommandFailure(`A call that waited was answered ${String(code)}.`)
    return performance.now() - killedAt
  } finally {
    socket.disconnect()
  }
}

import type { ExecutionContext } from 'ava'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { watchFeeds } from '../../gateway/feedWatch.js'
import { signToken } from '../../platform/runtime/tokens.js'
import { loadContracts } from '../../platform/runtime/tree.js'
import { startGateway } from '../gateway/support.js'
import { createTestSystem, type TestSystem } from '../support/system.js'

export interface Ran {
  code: number | null
  stdout: string
  stderr: string
}

export interface Programs {
  system: TestSystem
  folder: string
  url: string
  adminToken: string
  admin(...words: string[]): Promise<Ran>
  user(...words: string[]): Promise<Ran>
  /** Begins one, for tests that end it themselves. */
  begin(program: 'admin' | 'user', words: string[]): ChildProcess
}

const BIN = fileURLToPath(new URL('../../client/cli/bin/', import.meta.url))

/** holdfast-admin and holdfast-user before a real system, each with a folder for its session. */
export async function programsOf(t: ExecutionContext): Promise<Programs> {
  const system = await createTestSystem(t, { now: () => new Date() })
  const contracts = await loadContracts()
  const { port } = await startGateway(t, {
    overrides: {
      contracts,
      config: { ...system.config, gateway: { ...system.config.gateway, port: 0 } },
      request: (envelope) => system.handle(envelope),
      watchFeeds: watchFeeds(system),
    },
  })
  const { userId } = await system.makeUser({ role: 'admin' })
  const adminToken = await signToken({ userId, role: 'admin', tokenVersion: 0 }, system.config, system.now())
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-programs-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const url = `http://127.0.0.1:${port}`

  function begin(program: 'admin' | 'user', words: string[]): ChildProcess {
    const own = {
      HOLDFAST_URL: url,
      XDG_CONFIG_HOME: folder,
      ...(program === 'admin' && { HOLDFAST_TOKEN: adminToken }),
    }
    const child = spawn(process.execPath, [`${BIN}holdfast-${program}.js`, ...words], {
      env: { PATH: process.env['PATH'], ...own },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    t.teardown(() => void child.kill('SIGKILL'))
    return child
  }
  async function run(program: 'admin' | 'user', words: string[]): Promise<Ran> {
    const child = begin(program, words)
    const ran: Ran = { code: null, stdout: '', stderr: '' }
    child.stdout?.on('data', (chunk: Buffer) => (ran.stdout += chunk.toString()))
    child.stderr?.on('data', (chunk: Buffer) => (ran.stderr += chunk.toString()))
    await once(child, 'close')
    return { ...ran, code: child.exitCode }
  }
  return {
    ...{ system, folder, url, adminToken, begin },
    admin: (...words) => run('admin', words),
    user: (...words) => run('user', words),
  }
}

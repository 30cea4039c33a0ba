import type { ExecutionContext } from 'ava'
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import type { Node } from '@dashersw/node-discover'
import { loadConfig, type Config } from '../../config/index.js'
import { createCoteTransport, type CoteTransport } from '../../platform/calls/cote.js'
import { CallerComponent, startDiscovery, type Advertisement } from '../../platform/calls/components.js'
import type { Result } from '../../platform/contract/errors.js'
import { until } from '../../proof/support/until.js'
import { freeUdpPort } from '../../proof/support/ports.js'

/** A network of processes of its own: settings, and what they become. */
export interface Net {
  env: NodeJS.ProcessEnv
  config: Config
}

export async function createNet(t: ExecutionContext, settings: Record<string, string> = {}): Promise<Net> {
  const dataDir = mkdtempSync(join(tmpdir(), 'holdfast-'))
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }))
  const env = { DATA_DIR: dataDir, DISCOVERY_PORT: String(await freeUdpPort()), LOG_LEVEL: 'warn', ...settings }
  return { env: { PATH: process.env['PATH'], ...env }, config: loadConfig(env) }
}

interface AskOptions {
  ttlMs?: number
  idempotent?: boolean
  key?: string
  signal?: AbortSignal
}

export interface TestCaller extends CoteTransport {
  logs: Record<string, unknown>[]
  ask(operation: string, input?: unknown, options?: AskOptions): Promise<Result<Answer>>
}

/** What responder.ts answers. */
export interface Answer {
  app: string
  pid: number
  input: unknown
  ttlMs: number
  /** Whether anybody waited for it when it ended. */
  wanted: boolean
}

export async function createCaller(t: ExecutionContext, { config }: Net): Promise<TestCaller> {
  const logs: Record<string, unknown>[] = []
  const log = pino({ level: 'warn' }, { write: (line) => void logs.push(JSON.parse(line) as Record<string, unknown>) })
  const transport = await createCoteTransport({ config, log })
  t.teardown(() => transport.close())
  return Object.assign(transport, {
    logs,
    ask: (operation: string, input: unknown = null, { ttlMs = 10_000, ...options }: AskOptions = {}) =>
      transport.request(
        { operation, input, caller: null, requestId: 'r', ttlMs },
        { idempotent: false, ...options },
      ) as Promise<Result<Answer>>,
  })
}

export interface Responder {
  pid: number
  child: ChildProcess
  /** Lines of its log. */
  logs: Record<string, unknown>[]
  /** Inputs of the calls of test.hold that it has begun. */
  began: unknown[]
  exited: Promise<number | NodeJS.Signals>
}

/** A program beside this file, with the settings of the network. Killed when the test ends. */
export function forkProgram(t: ExecutionContext, { env }: Net, file: string, args: string[]): ChildProcess {
  const program = fileURLToPath(new URL(file, import.meta.url))
  const child = fork(program, args, { env, execArgv: ['--import=tsx'], stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })
  const exited = once(child, 'exit')
  t.teardown(async () => {
    child.kill('SIGKILL')
    await exited
  })
  return child
}

export async function forkResponder(
  t: ExecutionContext,
  net: Net,
  app: string,
  operations: string,
  settings: Record<string, string> = {},
): Promise<Responder> {
  const child = forkProgram(t, { ...net, env: { ...net.env, ...settings } }, 'responder.ts', [app, operations])
  const exited = new Promise<number | NodeJS.Signals>((resolve) =>
    child.once('exit', (code, signal) => resolve(code ?? (signal as NodeJS.Signals))),
  )
  const logs = collectJsonLines(child)
  const began: unknown[] = []
  let ready = false
  child.on('message', (message: { ready?: true; began?: unknown }) => {
    if (message.ready) ready = true
    else began.push(message.began)
  })
  await until(() => ready, { timeoutMs: 60_000, what: `${app} to be ready` })
  return { pid: child.pid as number, child, logs, began, exited }
}

export function collectJsonLines(child: ChildProcess): Record<string, unknown>[] {
  const lines: Record<string, unknown>[] = []
  let rest = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n')
    rest = parts.pop() ?? ''
    for (const line of parts) lines.push(JSON.parse(line) as Record<string, unknown>)
  })
  return lines
}

/** What the hosts of a network advertise, by app. */
export async function advertisements(t: ExecutionContext, { config }: Net): Promise<Map<string, Advertisement>> {
  const heard = new Map<string, Advertisement>()
  const component = new CallerComponent(config)
  const discovery = await startDiscovery(component, config, () => {})
  t.teardown(() => component.close())
  discovery.on('helloReceived', ({ advertisement }: Node<Advertisement>) => {
    if (advertisement.app) heard.set(advertisement.app, advertisement)
  })
  discovery.hello()
  return heard
}

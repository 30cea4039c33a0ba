import type { ExecutionContext } from 'ava'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mongodSettings } from '../../config/index.js'
import { freeTcpPorts } from '../../proof/support/installation.js'

const BINARY = mongodSettings()
  .path.map((directory) => join(directory, 'redis-server'))
  .find((file) => existsSync(file))

const HIGHEST_OF_CLUSTER = 21_000

/** Whether this machine has a redis-server to test with. */
export const hasRedis = BINARY !== undefined

export interface TestRedis {
  port: number
  url: string
  start(): Promise<void>
  /** SIGKILL: it is gone at once. */
  kill(): Promise<void>
}

/** Real servers, in memory alone, on ports that they keep when they come back. They end with the test. */
export async function startRedis(t: ExecutionContext, { count = 1, cluster = false } = {}): Promise<TestRedis[]> {
  const ports: number[] = []
  while (ports.length < count) {
    const [port] = (await freeTcpPorts(1)) as [number]
    // A node of a cluster also listens 10,000 ports higher, which outgoing connections must leave alone too.
    if (!ports.includes(port) && (!cluster || port < HIGHEST_OF_CLUSTER)) ports.push(port)
  }
  return Promise.all(ports.map((port) => startOne(t, port, cluster)))
}

async function startOne(t: ExecutionContext, port: number, cluster: boolean): Promise<TestRedis> {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-redis-'))
  let child: ChildProcess | undefined
  const redis: TestRedis = {
    port,
    url: `redis://127.0.0.1:${port}`,
    async start() {
      const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', directory]
      const started = spawn(BINARY as string, [...args, ...(cluster ? ['--cluster-enabled', 'yes'] : [])])
      child = started
      for await (const chunk of started.stdout) if (String(chunk).includes('Ready to accept connections')) break
    },
    async kill() {
      if (!child || child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
  t.teardown(async () => {
    await redis.kill()
    await rm(directory, { recursive: true, force: true })
  })
  await redis.start()
  return redis
}

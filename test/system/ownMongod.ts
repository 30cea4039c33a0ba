import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { embeddedMongoUri, findMongod, initiateReplicaSet, mongodArgs } from '../../platform/mongod/mongod.js'
import { freeTcpPorts } from '../../proof/support/installation.js'

/** A mongod that a test may kill and start again, at the same port and with the same data. */
export interface OwnMongod {
  uri: string
  kill(): Promise<void>
  start(): Promise<void>
  remove(): Promise<void>
}

export async function ownMongod(): Promise<OwnMongod> {
  const binary = await findMongod((line) => console.error(line))
  const dbPath = await mkdtemp(join(tmpdir(), 'holdfast-mongod-'))
  const [port] = (await freeTcpPorts(1)) as [number]
  let child: ChildProcess | undefined
  const mongod: OwnMongod = {
    uri: embeddedMongoUri(port),
    async kill() {
      if (!child || child.exitCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
      child = undefined
    },
    async start() {
      child = spawn(binary, mongodArgs({ dbPath, port }), { stdio: 'ignore' })
      await initiateReplicaSet(port)
    },
    async remove() {
      await mongod.kill()
      await rm(dbPath, { recursive: true, force: true })
    },
  }
  await mongod.start()
  return mongod
}

import test from 'ava'
import mongoose from 'mongoose'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { embeddedMongoUri, findMongod, initiateReplicaSet, mongodArgs } from '../../../platform/mongod/mongod.js'

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** A mongod as `npm start` runs it; answers how to stop it. */
function run(binary: string, dbPath: string, port: number): () => Promise<void> {
  const mongod = spawn(binary, mongodArgs({ dbPath, port }), { stdio: 'ignore' })
  const ended = once(mongod, 'exit')
  return async () => {
    mongod.kill('SIGTERM')
    await ended
  }
}

test('a mongod becomes a replica set once, and stays it with its data at another port', async (t) => {
  const binary = await findMongod((line) => console.error(line))
  const dbPath = await mkdtemp(join(tmpdir(), 'holdfast-mongod-'))
  t.teardown(() => rm(dbPath, { recursive: true }))

  for (const [start, before] of [
    ['first', 0],
    ['again, elsewhere', 1],
  ] as const) {
    const port = await freePort()
    const stop = run(binary, dbPath, port)
    try {
      // It may be asked before the mongod listens, and by two starters at once.
      await Promise.all([initiateReplicaSet(port), initiateReplicaSet(port)])
      await initiateReplicaSet(port)
      const client = await new mongoose.mongo.MongoClient(embeddedMongoUri(port)).connect()
      const starts = client.db().collection('starts')
      t.is(await starts.countDocuments(), before)
      await starts.insertOne({ start }, { writeConcern: { w: 'majority' } })
      await client.close()
    } finally {
      await stop()
    }
  }
})

test('waiting for a mongod that never comes ends with an error that names its port', async (t) => {
  const port = await freePort()
  await t.throwsAsync(initiateReplicaSet(port, 0), { message: `The MongoDB at port ${port} does not get ready` })
})

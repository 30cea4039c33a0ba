import test from 'ava'
import mongoose from 'mongoose'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  embeddedMongoUri,
  findMongod,
  initiateReplicaSet,
  mongodArgs,
  type MongodPlace,
} from '../../../platform/mongod/mongod.js'

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** A mongod as `npm start` runs it; answers how to stop it. */
function run(binary: string, place: MongodPlace): () => Promise<void> {
  const mongod = spawn(binary, mongodArgs(place), { stdio: 'ignore' })
  const ended = once(mongod, 'exit')
  return async () => {
    mongod.kill('SIGTERM')
    await ended
  }
}

test('a mongod becomes a replica set once, and stays it with its data at another port; its key alone opens it', async (t) => {
  const binary = await findMongod((line) => console.error(line))
  const dbPath = await mkdtemp(join(tmpdir(), 'holdfast-mongod-'))
  t.teardown(() => rm(dbPath, { recursive: true }))
  const [keyFile, password] = [join(dbPath, 'key'), 'a1b2c3d4'.repeat(8)]
  await writeFile(keyFile, password, { mode: 0o600 })

  for (const [start, before] of [
    ['first', 0],
    ['again, elsewhere', 1],
  ] as const) {
    const port = await freePort()
    const stop = run(binary, { dbPath, port, keyFile })
    const count = async (uri: string): Promise<number> => {
      const client = await new mongoose.mongo.MongoClient(uri).connect()
      try {
        return await client.db().collection('starts').countDocuments()
      } finally {
        await client.close()
      }
    }
    try {
      // It may be asked before the mongod listens, and by two starters at once.
      await Promise.all([initiateReplicaSet(port, { password }), initiateReplicaSet(port, { password })])
      await initiateReplicaSet(port, { password })
      t.is(await count(embeddedMongoUri(port, password)), before)
      await t.throwsAsync(count(embeddedMongoUri(port)), { message: /requires authentication/ })
      await t.throwsAsync(count(embeddedMongoUri(port, 'f'.repeat(64))), { message: /Authentication failed/ })
      const client = await new mongoose.mongo.MongoClient(embeddedMongoUri(port, password)).connect()
      await client
        .db()
        .collection('starts')
        .insertOne({ start }, { writeConcern: { w: 'majority' } })
      await client.close()
    } finally {
      await stop()
    }
  }
})

test('one without a key becomes a replica set too', async (t) => {
  const binary = await findMongod((line) => console.error(line))
  const dbPath = await mkdtemp(join(tmpdir(), 'holdfast-mongod-'))
  t.teardown(() => rm(dbPath, { recursive: true }))
  const port = await freePort()
  const stop = run(binary, { dbPath, port })
  t.teardown(stop)
  await initiateReplicaSet(port)
  const client = await new mongoose.mongo.MongoClient(embeddedMongoUri(port)).connect()
  t.is(await client.db().collection('starts').countDocuments(), 0)
  await client.close()
})

test('waiting for a mongod that never comes ends with an error that names its port', async (t) => {
  const port = await freePort()
  await t.throwsAsync(initiateReplicaSet(port, { timeoutMs: 0 }), {
    message: `The MongoDB at port ${port} does not get ready`,
  })
})

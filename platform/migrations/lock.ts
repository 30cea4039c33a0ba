import type mongoose from 'mongoose'
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { unlessTaken } from '../database/bulkErrors.js'
import { MigrationError } from './files.js'

/** A runner that has not renewed its claim for so long is taken for dead. */
const LEASE_MS = 30_000
const RETRY_MS = 100

/** One a domain: domains that share a database don't wait for each other. Times are the server's, never a runner's. */
interface Claim {
  _id: string
  owner: string
  expiresAt: Date
}

export interface MigrationLock {
  /** Throws when the claim may have passed to another runner. Called before each write that must be this runner's. */
  assertHeld(): void
}

/**
 * Runs `work` as the only runner of a domain's migrations; whoever comes second waits, however long that takes. The
 * claim itself is one insert of a unique _id, so of two runners exactly one has it.
 */
export async function withMigrationLock<T>(
  db: mongoose.mongo.Db,
  domain: string,
  say: (line: string) => void,
  work: (lock: MigrationLock) => Promise<T>,
): Promise<T> {
  const claims = db.collection<Claim>('migrationLocks')
  const owner = `${hostname()}:${process.pid}:${randomBytes(4).toString('hex')}`
  const lease = [{ $set: { owner, expiresAt: { $add: ['$$NOW', LEASE_MS] } } }]

  let waitsFor: string | undefined
  while (!((await insert()) || (await takeOverExpired()))) {
    const holder = await claims.findOne({ _id: domain })
    if (holder && holder.owner !== waitsFor) say(`${domain}: waiting for another runner, ${holder.owner}`)
    waitsFor = holder?.owner
    await sleep(RETRY_MS)
  }

  let heldUntilMs = performance.now() + LEASE_MS
  const heartbeat = setInterval(() => {
    const renewedAtMs = performance.now()
    claims
      .updateOne({ _id: domain, owner }, lease)
      .then(({ matchedCount }) => (heldUntilMs = matchedCount === 1 ? renewedAtMs + LEASE_MS : 0))
      // Unknown whether it was renewed: then it runs out.
      .catch(() => {})
  }, LEASE_MS / 3)
  try {
    return await work({
      assertHeld() {
        if (performance.now() < heldUntilMs) return
        throw new MigrationError(`${domain}: this runner stalled and another may have gone on; run it again`)
      },
    })
  } finally {
    clearInterval(heartbeat)
    // Where this fails, the claim runs out by itself.
    await claims.deleteOne({ _id: domain, owner }).catch(() => {})
  }

  function insert(): Promise<boolean> {
    return unlessTaken(claims.updateOne({ _id: domain, owner }, lease, { upsert: true }))
  }

  async function takeOverExpired(): Promise<boolean> {
    const { matchedCount } = await claims.updateOne({ _id: domain, $expr: { $lt: ['$expiresAt', '$$NOW'] } }, lease)
    return matchedCount === 1
  }
}

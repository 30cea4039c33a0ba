import mongoose from 'mongoose'
import type { StoredEvent } from '../../../platform/events/events.js'
import { drained, setStage, ThingCopy, type Stage } from './stage.js'
import type { Server } from '../../support/server.js'

export interface BacklogResult {
  events: number
  /** Read by a bare change stream, and nothing done with them. */
  streamPerSecond: number
  /** Delivered to a subscriber that only answers. */
  deliveredPerSecond: number
  /** Delivered to a subscriber that makes a durable write for each. */
  appliedPerSecond: number
  /** Effects less events, and copies that are not where their owner is: both 0. */
  wrong: number
}

const VERSIONS = 10
const INSERT_AT_ONCE = 5000

/** An outbox that filled up while no subscriber ran, and how fast it empties once one does. */
export async function measureBacklog(server: Server, count: number): Promise<BacklogResult> {
  const answered = await drainOne(server, count, false)
  const applied = await drainOne(server, count, true)
  return {
    events: count,
    streamPerSecond: answered.streamPerSecond,
    deliveredPerSecond: answered.drainPerSecond,
    appliedPerSecond: applied.drainPerSecond,
    wrong: answered.wrong + applied.wrong,
  }
}

async function drainOne(server: Server, count: number, applies: boolean) {
  const stage = await setStage(server, `events-backlog-${applies ? 'applied' : 'answered'}`, applies)
  try {
    const ping = (await stage.db.command({ ping: 1 })) as { operationTime: mongoose.mongo.Timestamp }
    await fill(stage, count)
    const streamPerSecond = await readStream(stage, ping.operationTime, count)
    let effects = 0
    stage.onEffect(() => effects++)
    const startedAt = performance.now()
    let firstAt = 0
    stage.onEffect(() => {
      firstAt ||= performance.now()
      effects++
    })
    stage.startDispatcher()
    await drained(stage)
    const seconds = (performance.now() - (firstAt || startedAt)) / 1000
    const behind = applies
      ? count / VERSIONS - (await stage.system.model(ThingCopy).countDocuments({ version: VERSIONS }))
      : 0
    return { streamPerSecond, drainPerSecond: count / seconds, wrong: Math.abs(effects - count) + behind }
  } finally {
    await stage.stop()
  }
}

async function fill({ events }: Stage, count: number): Promise<void> {
  const things = Array.from({ length: count / VERSIONS }, () => new mongoose.Types.ObjectId())
  for (let version = 1; version <= VERSIONS; version++) {
    for (let from = 0; from < things.length; from += INSERT_AT_ONCE) {
      const batch = things.slice(from, from + INSERT_AT_ONCE).map((id): StoredEvent => ({
        _id: new mongoose.Types.ObjectId(),
        type: 'measured:changed',
        aggregate: { type: 'thing', id },
        version,
        payload: JSON.stringify({ sentAt: 0, text: 'x'.repeat(200) }),
        isLocked: true,
        failures: [],
        createdAt: new Date(),
      }))
      await events.insertMany(batch, { ordered: false })
    }
  }
}

async function readStream({ db }: Stage, from: mongoose.mongo.Timestamp, count: number): Promise<number> {
  const stream = db
    .collection('events')
    .watch([{ $match: { operationType: 'insert' } }], { startAtOperationTime: from })
  const startedAt = performance.now()
  let seen = 0
  while (await stream.next()) if (++seen === count) break
  await stream.close()
  return (count / (performance.now() - startedAt)) * 1000
}

import { setTimeout as sleep } from 'node:timers/promises'
import { withEvents } from '../../../platform/events/events.js'
import { percentile } from '../../support/numbers.js'
import type { Server } from '../../support/server.js'
import { drained, setStage, type Stage } from './stage.js'
import { measurements } from './contract.js'

/** From sending the commit to the subscriber's own durable write, ms; the commit itself is in it. */
export interface LatencyResult {
  perSecond: number
  events: number
  p50: number
  p99: number
  max: number
}

const WARM_UP_EVENTS = 100

/** An open loop: each change begins when it is due, whatever became of the others. */
export async function measureLatency(server: Server, perSecond: number, seconds: number): Promise<LatencyResult> {
  const stage = await setStage(server, `events-latency-${perSecond}`, true)
  try {
    stage.startDispatcher()
    await changeAll(stage, perSecond, WARM_UP_EVENTS)
    await drained(stage)
    const latencies: number[] = []
    stage.onEffect(({ payload }) => void latencies.push(performance.now() - payload.sentAt))
    const count = Math.round(perSecond * seconds)
    await changeAll(stage, perSecond, count)
    await drained(stage)
    const sorted = latencies.sort((a, b) => a - b)
    if (sorted.length !== count) throw new Error(`${count} events had ${sorted.length} effects`)
    return {
      perSecond,
      events: count,
      p50: percentile(sorted, 0.5),
      p99: percentile(sorted, 0.99),
      max: sorted.at(-1) as number,
    }
  } finally {
    await stage.stop()
  }
}

async function changeAll({ system, db }: Stage, perSecond: number, count: number): Promise<void> {
  const startedAt = performance.now()
  const running: Promise<void>[] = []
  for (let i = 0; i < count; i++) {
    const waitMs = startedAt + (i * 1000) / perSecond - performance.now()
    if (waitMs > 1) await sleep(waitMs)
    running.push(changeOne(system, db))
  }
  await Promise.all(running)
}

async function changeOne(system: Stage['system'], db: Stage['db']): Promise<void> {
  const id = system.newId()
  await withEvents(system, measurements, async (tx) => {
    await db.collection('things').insertOne({ version: 1 }, { session: tx.session })
    tx.emit({
      type: 'measured:changed',
      aggregate: { type: 'thing', id },
      version: 1,
      payload: { sentAt: performance.now(), text: 'x'.repeat(200) },
    })
  })
}

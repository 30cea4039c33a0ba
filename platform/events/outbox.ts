import mongoose, { type Connection } from 'mongoose'
import { updateOf } from '../database/updates.js'
import { coalesce } from '../lib/coalesce.js'
import { byDatabase } from '../database/database.js'
import { connect } from '../runtime/connect.js'
import { EVENTS, type DeliveryFailure, type StoredEvent } from './events.js'
import type { System } from '../runtime/system.js'
import { domainsWithDatabase, loadCarriers } from '../runtime/tree.js'

/** The events of one database: those of every domain that keeps its collections there. */
export interface Outbox {
  /** Those domains, for the log. */
  domains: string[]
  /** Collections whose documents carry their events, by the aggregate's type. */
  carriers: ReadonlyMap<string, string>
  /** Waits while the database is out of reach; rejects where it can't be used. */
  connection(): Promise<Connection>
}

/** An event as the dispatcher works on it. */
export interface PendingEvent extends StoredEvent {
  /** The document carries it; the last of its events takes the outbox with it. */
  carried?: { final: boolean }
}

/** Every database that domains of ours use. One instance a system: `await ctx.use(outboxes)`. */
export async function outboxes(system: System): Promise<Outbox[]> {
  const carriers = await loadCarriers()
  return byDatabase(system.config, [...domainsWithDatabase()]).map((domains) => outbox(system, domains, carriers))
}

function outbox(system: System, domains: string[], carriers: Map<string, Record<string, string>>): Outbox {
  let connecting: Promise<Connection> | undefined
  async function open(): Promise<Connection> {
    const connections = domains.map((domain) => system.databases.connection(domain))
    const connected = connections.find(({ readyState }) => readyState === mongoose.ConnectionStates.connected)
    if (connected) return connected
    await connect(system, domains[0] as string)
    return connections[0] as Connection
  }
  return {
    domains,
    carriers: new Map(domains.flatMap((each) => Object.entries(carriers.get(each) ?? {}))),
    connection() {
      connecting ??= open().catch((error: unknown) => {
        connecting = undefined
        throw error
      })
      return connecting
    },
  }
}

export const eventsOf = (connection: Connection): mongoose.mongo.Collection<StoredEvent> =>
  (connection.db as mongoose.mongo.Db).collection<StoredEvent>(EVENTS)

/** What becomes of events after an attempt at their delivery. */
export interface OutboxWriter {
  /** Delivered: gone. */
  settle(event: PendingEvent): Promise<void>
  /** Not delivered: waits until it is due again, or, dead, for an admin. */
  fail(event: PendingEvent, verdict: Verdict): Promise<void>
}

export interface Verdict {
  failures: DeliveryFailure[]
  deliveredTo: string[]
  /** When it is due again; null: never, it is dead. */
  retryAt: Date | null
  at: Date
}

const MAX_BATCH = 500
const SETTLE_TIMEOUT_MS = 10_000

export function createOutboxWriter(connection: Connection, carriers: Outbox['carriers']): OutboxWriter {
  const events = eventsOf(connection)
  // Losing one of these to a failover delivers an event again, no more: they need not wait for a majority.
  const w1 = { writeConcern: { w: 1 } }
  const batches = {
    maxBatch: MAX_BATCH,
    maxInFlight: 2,
    timeoutMs: SETTLE_TIMEOUT_MS,
    onTimeout: () => new Error('events were not settled in time'),
  }
  const remove = coalesce<StoredEvent['_id'], void>(async (ids) => {
    await events.deleteMany({ _id: { $in: ids } }, w1)
    return ids.map(() => undefined)
  }, batches)
  const empty = new Map(
    [...carriers].map(([aggregate, collection]) => [
      aggregate,
      coalesce<StoredEvent['_id'], void>(async (ids) => {
        await connection.collection(collection).updateMany({ _id: { $in: ids } }, { $unset: { outbox: 1 } }, w1)
        return ids.map(() => undefined)
      }, batches),
    ]),
  )

  return {
    async settle({ _id, aggregate, carried }) {
      if (!carried) await remove(_id)
      // Its outbox goes with the last of its events, so that carrying costs one write in all.
      else if (carried.final) await empty.get(aggregate.type)?.(aggregate.id)
    },
    async fail({ carried, ...event }, { failures, deliveredTo, retryAt, at }) {
      const state = {
        isLocked: false,
        deliveredTo,
        ...(retryAt ? { retryAt } : { deadAt: at, alertAt: at }),
      }
      if (!carried) {
        await events.updateOne({ _id: event._id }, { $set: state, $push: { failures: { $each: failures } } })
        return
      }
      // A carried event that failed moves among the others: there it is retried, listed and driven again like them. A
      // crash between the two writes leaves it in both places, which delivers it once more.
      await events.updateOne({ _id: event._id }, { $setOnInsert: { ...event, ...state, failures } }, { upsert: true })
      await connection
        .collection(carriers.get(event.aggregate.type) as string)
        .updateOne(
          { _id: event.aggregate.id },
          updateOf(carried.final ? { $unset: { outbox: 1 } } : { $pull: { outbox: { _id: event._id } } }),
        )
    },
  }
}

import mongoose, { type Collection } from 'mongoose'
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { loadConfig } from '../../../config/index.js'
import { createCoteTransport } from '../../../platform/calls/cote.js'
import { applyCopy } from '../../../platform/events/copies.js'
import type { DomainEvent, StoredEvent } from '../../../platform/events/events.js'
import { define, type FunctionDefinition } from '../../../platform/runtime/function.js'
import { createLogger } from '../../../platform/lib/log.js'
import { migrateUp } from '../../../platform/migrations/migrations.js'
import { field } from '../../../platform/database/fields.js'
import { defineModel } from '../../../platform/database/model.js'
import { createSystem, type System } from '../../../platform/runtime/system.js'
import type { Server } from '../../support/server.js'
import { measured } from './contract.js'
import { freeUdpPort } from '../../support/ports.js'

export const ThingCopy = defineModel<{ version: number; text: string }>('bookings', 'thingCopies', {
  version: field.count,
  text: field.text,
})

/** An owner and a subscriber of events in this process, and room for dispatchers beside it, on one database. */
export interface Stage {
  system: System
  events: Collection<StoredEvent>
  db: mongoose.mongo.Db
  /** Called when the effect of an event is durable. */
  onEffect(listener: (event: DomainEvent<{ sentAt: number }>) => void): void
  startDispatcher(): ChildProcess
  stop(): Promise<void>
}

/** `applies`: the subscriber keeps copies. Otherwise it answers and does nothing. */
export async function setStage(server: Server, database: string, applies: boolean): Promise<Stage> {
  const env = {
    NODE_ENV: 'test',
    MONGODB_URI: server.uri(database),
    AUTH_SECRET: 'the secret of a benchmark, for tokens',
    CLUSTER_SECRET: 'the secret of a benchmark, for calls.',
    DISCOVERY_PORT: String(await freeUdpPort()),
  }
  const config = loadConfig(env)
  const log = createLogger('bench', 'warn')
  await migrateUp(config, { domains: ['bookings'] })
  let listener: Parameters<Stage['onEffect']>[0] = () => {}
  const hearThing = define(measured.hearThing, async (ctx, event) => {
    const { text } = event.payload
    const creates = event.version === 1
    const effect = applies ? await applyCopy(ctx.model(ThingCopy), event, { text }, { creates }) : 'applied'
    if (effect === 'applied') listener(event)
    return {}
  }) as FunctionDefinition
  const transport = await createCoteTransport({ config, log })
  const system = createSystem({ app: 'measured', config, log, functions: [hearThing], transport })
  await system.databases.connect(['bookings'])
  const { handle, health } = system
  await transport.serve({ app: 'measured', operations: ['measured.hearThing'], handle, health })
  const connection = system.databases.connection('bookings')
  const children: ChildProcess[] = []
  return {
    system,
    events: connection.collection<StoredEvent>('events'),
    db: connection.db as mongoose.mongo.Db,
    onEffect: (next) => void (listener = next),
    startDispatcher() {
      const module = fileURLToPath(new URL('./dispatcher.js', import.meta.url))
      const child = fork(module, { env: { ...process.env, ...env } })
      children.push(child)
      return child
    },
    async stop() {
      for (const child of children) {
        child.kill('SIGKILL')
        if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      }
      await system.close()
    },
  }
}

/** Waits until nothing is left to deliver. */
export async function drained({ events }: Stage): Promise<void> {
  while ((await events.estimatedDocumentCount()) > 0) await sleep(20)
}

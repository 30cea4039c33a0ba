import { BaseNotificationChannel, toJobId, type Agenda } from 'agenda'
import type { mongo } from 'mongoose'
import { createAlarm } from '../platform/lib/alarm.js'
import type { Logger } from '../platform/lib/log.js'
import { outOfReach } from '../platform/runtime/system.js'
import type { StoredJob } from './store.js'

/**
 * So often Agenda looks by itself for what is due, whatever it was told: the sweep is the truth, the alarm only saves the
 * looks in between.
 */
export const SWEEP_MS = 30_000
/**
 * So often it is looked at when the next one is due, for other processes tell nobody what they save. A look costs two
 * seeks; a change stream in its place would cost the server a look at whatever is written anywhere.
 */
const LOOK_MS = 2000
/** A job is taken so long before its time at most. A timer may ring a moment early; Agenda waits for the rest. */
export const AHEAD_MS = 50
/** Between two rings: while all run that may run here, what is due besides would ring without end. */
const GAP_MS = 200
const RETRY_MS = 1000
/** More than are ever held at once by a few processes. */
const MAX_HELD = 500

/**
 * In place of polling, one of Agenda's notification channels: it sleeps until the next job is due, or until the lock of
 * a dead holder ends, and then has Agenda take what there is.
 *
 * Agenda's own channel of change streams tells of jobs that are due when they are saved, and fetches each that changes;
 * what becomes due later still has to be polled for.
 */
export class DueJobs extends BaseNotificationChannel {
  readonly #jobs: mongo.Collection<StoredJob>
  readonly #definitions: Agenda['definitions']
  readonly #log: Logger
  readonly #alarm = createAlarm()
  #running: Promise<void> | undefined

  /** `definitions`: of the jobs that run here. */
  constructor(jobs: mongo.Collection<StoredJob>, { definitions }: Pick<Agenda, 'definitions'>, log: Logger) {
    super()
    this.#jobs = jobs
    this.#definitions = definitions
    this.#log = log
  }

  connect(): Promise<void> {
    this.setState('connected')
    // agendash runs nothing.
    if (Object.keys(this.#definitions).length === 0) return Promise.resolve()
    this.#running = this.#run()
    return Promise.resolve()
  }

  async disconnect(): Promise<void> {
    this.setState('disconnected')
    this.#alarm.wake()
    await this.#running
  }

  /** Saved here; what other processes save is found by the next look. */
  publish(): Promise<void> {
    this.wake()
    return Promise.resolve()
  }

  /** Something may be due sooner than was known. */
  wake(): void {
    this.#alarm.wake()
  }

  async #run(): Promise<void> {
    let notBefore = 0
    while (this.state === 'connected') {
      try {
        const dueAt = await this.#nextDueAt()
        const now = Date.now()
        const ringAt = Math.max(dueAt - AHEAD_MS, notBefore)
        if (ringAt > now) {
          await this.#alarm.wait(Math.min(ringAt - now, LOOK_MS))
          continue
        }
        notBefore = now + GAP_MS
        await this.#ring()
      } catch (error) {
        if (!outOfReach(error)) this.#log.warn({ err: error }, 'no look at when the next job is due')
        await this.#alarm.wait(RETRY_MS)
      }
    }
  }

  /** Whichever it was: Agenda is asked to take what is due of each kind. */
  async #ring(): Promise<void> {
    for (const jobName of Object.keys(this.#definitions)) {
      const about = { jobId: toJobId(jobName), jobName, nextRunAt: null, priority: 0, timestamp: new Date() }
      await this.notifyHandlers(about)
    }
  }

  /** Infinity: nothing waits, and nothing is held. */
  async #nextDueAt(): Promise<number> {
    const ours = { name: { $in: Object.keys(this.#definitions) }, disabled: { $ne: true } }
    const [waiting, held] = await Promise.all([
      this.#jobs
        .find({ ...ours, lockedAt: null, nextRunAt: { $type: 'date' } }, { projection: { nextRunAt: 1 } })
        .sort({ nextRunAt: 1 })
        .limit(1)
        .toArray(),
      this.#jobs
        .find({ ...ours, lockedAt: { $type: 'date' } }, { projection: { name: 1, lockedAt: 1 }, hint: 'held' })
        .sort({ lockedAt: 1 })
        .limit(MAX_HELD)
        .toArray(),
    ])
    const times = [
      ...waiting.map(({ nextRunAt }) => nextRunAt as Date),
      ...held.map(({ name, lockedAt }) => new Date(Number(lockedAt) + (this.#definitions[name]?.lockLifetime ?? 0))),
    ]
    return times.reduce((earliest, at) => Math.min(earliest, at.getTime()), Infinity)
  }
}

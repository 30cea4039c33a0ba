import mongoose, { type Model } from 'mongoose'
import type { Config } from '../../config/index.js'
import type { CallInput, Operation, Output } from '../contract/contract.js'
import { createDatabases, type Databases } from '../database/database.js'
import { Refusal, toPublicError, type Result } from '../contract/errors.js'
import type { Caller } from '../contract/caller.js'
import { allowYears } from '../contract/types.js'
import type { Context, FunctionDefinition } from './function.js'
import type { Logger } from '../lib/log.js'
import { authorise, fullName, idsIn, invalidInput, nameOfCaller, sendingOf, withNewId } from './invocation.js'
import { createLanes, type LaneLimits } from './lanes.js'
import { createMisfits } from './misfits.js'
import { spendQuota } from './quotas.js'
import { standInFor } from './standIns.js'
import type { ModelDefinition } from '../database/model.js'
import type { CheckResult, Envelope, Hearer, Peer, PeerHealth, Transport } from './transport.js'

export { authorise, fullName, invalidInput, withNewId } from './invocation.js'

const { MongoNetworkError, MongoServerError, MongoServerSelectionError, MongoNotConnectedError } = mongoose.mongo

const SURVEY_MAX_AGE_MS = 1000

/** On whose behalf a call is made, and how long its caller still waits. */
export interface Origin {
  caller: Caller | null
  requestId: string
  deadlineAt?: number
  /** Of a client: see Envelope. */
  address?: string
}

/** What one process is made of: its settings, its clock, its databases, the functions it hosts, the way to others. */
export interface System {
  config: Config
  log: Logger
  now(): Date
  newId(): string
  databases: Databases
  model<T>(definition: ModelDefinition<T>): Model<T>
  /** One instance a system of what functions share (an engine, a queue), made at its first use. */
  use<T>(make: (system: System) => T): T
  /** Calls a function, in this process when it is hosted here. Refusals are thrown. */
  call<Op extends Operation>(operation: Op, input: CallInput<Op>, origin: Origin): Promise<Output<Op>>
  /** Runs a hosted function for an envelope. Never rejects. */
  handle(envelope: Envelope, isWanted?: () => boolean): Promise<Result<unknown>>
  /** See Transport; it is heard in this process too. */
  tell(hint: unknown): void
  /** Hears what is told, in this process and in others. */
  hear(hearer: Hearer): void
  peers(): Peer[]
  /** Whether a process that hosts the operation is known; in a process without a transport all are here, or nowhere. */
  reaches(operation: Operation): boolean
  /** Of this process. */
  health(): Promise<PeerHealth>
  /** The health of every process that hosts functions, this one too; at most a second old. */
  survey(): Promise<readonly PeerHealth[]>
  /** What functions share adds what getStatus shows of it. */
  addCheck(name: string, check: () => CheckResult): void
  /** Work that goes on after the answer: a stopping process lets it end. It must not reject. */
  goOn(work: Promise<void>): void
  /** Runs when the system closes, after everything in flight. */
  onClose(end: () => void): void
  /** Lets what is in flight end, then closes. */
  close(): Promise<void>
}

export interface SystemOptions {
  config: Config
  log: Logger
  /** PM2 app. */
  app?: string
  /** Hosted here. */
  functions: readonly FunctionDefinition[]
  transport?: Transport
  now?: () => Date
  newId?: () => string
  /** Is told of each function that begins and ends. */
  underWay?: { begin(operation: string): void; end(operation: string): void }
}

export function createSystem(options: SystemOptions): System {
  allowYears(options.config.years)
  const { config, log, transport } = options
  const hosted = new Map(options.functions.map((fn) => [fullName(fn.operation), fn]))
  const databases = createDatabases(config, log)
  const shared = new Map<unknown, unknown>()
  const inFlight = new Set<Promise<unknown>>()
  const checks = new Map<string, () => CheckResult>()
  const ends: (() => void)[] = []
  const hearers = new Set<Hearer>()
  const lanes = config.callsPerUser > 0 ? createLanes(laneLimits(config.callsPerUser)) : undefined
  const misfits = createMisfits(log)
  let surveyed: { at: number; answers: Promise<readonly PeerHealth[]> } | undefined

  const system: System = {
    config,
    log,
    now: options.now ?? (() => new Date()),
    newId: options.newId ?? (() => new mongoose.Types.ObjectId().toHexString()),
    databases,
    model: (definition) => databases.model(definition),
    use<T>(make: (system: System) => T): T {
      if (!shared.has(make)) shared.set(make, make(system))
      return shared.get(make) as T
    },
    async call(operation, input, origin) {
      const ttlMs = remainingMs(operation, origin)
      const envelope: Envelope = {
        operation: fullName(operation),
        input: withNewId(operation, input, system.newId),
        caller: origin.caller,
        ...(origin.address !== undefined && { address: origin.address }),
        requestId: origin.requestId,
        ttlMs,
      }
      const result = await (hosted.has(envelope.operation) || !transport
        ? system.handle(envelope)
        : transport.request(envelope, sendingOf(operation, input)))
      if (result.ok) return result.data as Output<typeof operation>
      const { code, message, details } = result.error
      throw new Refusal(code, message, details, result.cause === undefined ? {} : { cause: new Error(result.cause) })
    },
    async handle(envelope, isWanted = () => true) {
      const fn = hosted.get(envelope.operation)
      if (!fn) return failed(new Refusal('unknown_operation', `No operation ${envelope.operation} here.`), envelope)
      const startedAtMs = performance.now()
      const run = inTurn(fn, envelope, isWanted)
      inFlight.add(run)
      try {
        const data = await withinTtl(run, envelope)
        tell(fn, envelope, 'ok', startedAtMs)
        return { ok: true, data }
      } catch (error) {
        const result = failed(error, envelope, fn.operation)
        tell(fn, envelope, result.error.code, startedAtMs)
        return result
      } finally {
        void run.finally(() => inFlight.delete(run)).catch(() => {})
      }
    },
    tell(hint) {
      for (const { told } of hearers) told(hint)
      transport?.tell(hint)
    },
    hear(hearer) {
      if (hearers.size === 0) {
        transport?.hear({
          told: (hint) => hearers.forEach(({ told }) => told(hint)),
          connected: () => hearers.forEach(({ connected }) => connected()),
        })
      }
      hearers.add(hearer)
      hearer.connected()
    },
    peers: () => transport?.peers() ?? [],
    reaches(operation) {
      const name = fullName(operation)
      return !transport || hosted.has(name) || transport.peers().some(({ operations }) => operations.includes(name))
    },
    async health() {
      return {
        app: options.app ?? 'local',
        operations: [...hosted.keys()],
        databases: await databases.ping(),
        checks: runChecks(),
      }
    },
    addCheck: (name, check) => void checks.set(name, check),
    goOn(work) {
      inFlight.add(work)
      void work.finally(() => inFlight.delete(work))
    },
    onClose: (end) => void ends.push(end),
    survey() {
      const now = performance.now()
      if (!surveyed || now - surveyed.at > SURVEY_MAX_AGE_MS) surveyed = { at: now, answers: takeSurvey() }
      return surveyed.answers
    },
    async close() {
      await Promise.allSettled(inFlight)
      for (const end of ends) end()
      await transport?.close()
      await databases.close()
    },
  }

  const runChecks = (): Record<string, CheckResult> =>
    Object.fromEntries([...checks].map(([name, check]) => [name, check()]))

  async function takeSurvey(): Promise<readonly PeerHealth[]> {
    const others = transport?.health() ?? Promise.resolve([])
    return hosted.size ? [await system.health(), ...(await others)] : others
  }

  /**
   * Calls between functions belong to one that had its turn; those of the system itself are few. An admin's backend app
   * sends the calls of many people, and is trusted to.
   */
  function inTurn(fn: FunctionDefinition, envelope: Envelope, isWanted: () => boolean): Promise<unknown> {
    const deadlineAt = Date.now() + envelope.ttlMs
    const run = (): Promise<unknown> => runFunction(fn, envelope, { deadlineAt, isWanted })
    const { caller, operation } = envelope
    if (!lanes || caller?.role !== 'user' || fn.operation.access === 'internal') return run()
    return lanes.run(`${caller.userId} ${operation}`, run)
  }

  async function runFunction(
    { operation, handler }: FunctionDefinition,
    envelope: Envelope,
    { deadlineAt, isWanted }: { deadlineAt: number; isWanted: () => boolean },
  ): Promise<unknown> {
    // Work that nobody waits for would only make those late who still do.
    if (Date.now() >= deadlineAt || !isWanted()) {
      throw new Refusal('deadline_exceeded', `${envelope.operation} was not begun: nobody waits for it any more.`)
    }
    authorise(operation, envelope.caller)
    const input = operation.input.safeParse(envelope.input)
    if (!input.success) throw invalidInput(input.error)
    const { caller, requestId, address } = envelope
    let ownLog: Logger | undefined
    const context: Context = {
      config,
      now: system.now,
      newId: system.newId,
      model: system.model,
      use: system.use,
      survey: system.survey,
      goOn: system.goOn,
      caller,
      address: address === undefined ? null : standInFor(config, address),
      network: address ?? null,
      requestId,
      deadlineAt,
      remainingMs: () => Math.max(0, deadlineAt - Date.now()),
      isWanted: () => isWanted() && Date.now() < deadlineAt,
      // Most calls say nothing of their own.
      get log() {
        return (ownLog ??= log.child({ requestId, operation: envelope.operation }))
      },
      call: (callee, calleeInput) => system.call(callee, calleeInput, { caller, requestId, deadlineAt }),
    }
    options.underWay?.begin(envelope.operation)
    try {
      if (operation.quota) await spendQuota(system, operation, input.data, context)
      const output = await handler(context, input.data)
      return fitting(operation, output, requestId)
    } finally {
      options.underWay?.end(envelope.operation)
    }
  }

  /** One line a call that came from outside; what functions ask each other on its way is for `debug`. */
  function tell({ operation }: FunctionDefinition, envelope: Envelope, code: string, startedAtMs: number): void {
    const level = operation.access === 'internal' ? 'debug' : 'info'
    if (!log.isLevelEnabled(level)) return
    const { operation: name, input, requestId } = envelope
    const ms = Math.round((performance.now() - startedAtMs) * 10) / 10
    const caller = nameOfCaller(envelope.caller)
    log[level]({ requestId, operation: name, caller, ids: idsIn(operation, input), ms, code }, 'call')
  }

  /** The caller of an answer that breaks its contract gets it all the same, but in development and tests. */
  function fitting(operation: Operation, output: unknown, requestId: string): unknown {
    const { success, data, error } = operation.output.safeParse(output)
    if (success) return data
    if (config.development) throw error
    misfits.note(fullName(operation), { requestId, err: error })
    return output
  }

  function failed(thrown: unknown, envelope: Envelope, failing?: Operation): Extract<Result<never>, { ok: false }> {
    const error = outOfReach(thrown)
      ? new Refusal('unavailable', 'A database is out of reach.', undefined, { cause: thrown })
      : thrown
    const { operation, requestId } = envelope
    if (!(error instanceof Refusal)) log.error({ err: error, operation, requestId }, 'function failed')
    else if (error.code === 'unavailable') log.warn({ err: error, operation, requestId }, 'function failed')
    const cause = failing?.access === 'internal' ? causeOf(error) : undefined
    return { ok: false, error: toPublicError(error, requestId), ...(cause !== undefined && { cause }) }
  }

  function remainingMs(operation: Operation, origin: Origin): number {
    const ownMs = config.deadlinesMs[operation.deadline]
    return origin.deadlineAt === undefined ? ownMs : Math.min(ownMs, Math.max(0, origin.deadlineAt - Date.now()))
  }

  return system
}

/** Beyond it calls would wait longer than their callers do. */
const WAITING_PER_TURN = 50

const laneLimits = (atOnce: number): LaneLimits => ({
  atOnce,
  waiting: WAITING_PER_TURN * atOnce,
  full: () => new Refusal('rate_limited', 'Too many calls of this kind at once.', { retryAfterMs: 1000 }),
})

async function withinTtl<T>(run: Promise<T>, envelope: Envelope): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () =>
        reject(new Refusal('deadline_exceeded', `${envelope.operation} did not end in time; its outcome is unknown.`)),
      envelope.ttlMs,
    )
  })
  try {
    return await Promise.race([run, late])
  } finally {
    clearTimeout(timer)
  }
}

/** What an error comes of, where what callers are told does not say it. */
function causeOf(error: unknown): string | undefined {
  const cause = error instanceof Refusal ? error.cause : error
  return cause instanceof Error ? cause.message : undefined
}

/** NotWritablePrimary and its kin, interrupted by a shutdown or a step-down, a write concern that timed out. */
const PASSING_CODES = new Set<unknown>([64, 91, 189, 10107, 11600, 11602, 13435, 13436])

export const outOfReach = (error: unknown): boolean =>
  error instanceof mongoose.Error.MongooseServerSelectionError ||
  error instanceof MongoNetworkError ||
  isSocketError(error) ||
  error instanceof MongoServerSelectionError ||
  error instanceof MongoNotConnectedError ||
  (error instanceof MongoServerError && PASSING_CODES.has(error.code))

/**
 * The driver passes on as it is what a socket says that breaks in the middle of a send, and what DNS says of the names
 * that a URI leads to (`querySrv`, `queryTxt`, `getaddrinfo`): a name server that is gone comes back too.
 */
const isSocketError = (error: unknown): boolean => {
  if (!(error instanceof Error) || !('syscall' in error)) return false
  const { code, syscall } = error as NodeJS.ErrnoException
  return ['ECONNRESET', 'EPIPE'].includes(String(code)) || /^(query|getaddrinfo)/.test(String(syscall))
}

import { textOf } from './documents.js'
import { Run, Tooling, type Request } from './executor.js'
import type { OnMongod } from './mongod.js'
import { schedulesOf, type Bounds, type Schedule, type Step } from './schedules.js'
import type { Operation, Rules, Snapshot } from './snapshot.js'
import type { Case, Theatre } from './theatre.js'

const RECOVERY_ROUNDS = 5

export interface RunOnMongod {
  case: string
  schedules: number
  tookMs: number
  /** By the number of its schedule. */
  violations: { schedule: number; what: string }[]
}

/** All schedules of a case within the bounds, one at a time on each database. `only`: the one of that number. */
export async function exploreOnMongod(
  theCase: Case,
  databases: readonly OnMongod[],
  { rules, only, ...bounds }: Bounds & { rules: Rules; only?: number },
): Promise<RunOnMongod> {
  const startedAt = performance.now()
  const tooling = new Tooling()
  const schedules = await schedulesOf(theCase, rules, tooling, bounds)
  const chosen = [...schedules.entries()].filter(([number]) => only === undefined || number === only)
  const violations: RunOnMongod['violations'] = []
  const queue = chosen.values()
  await Promise.all(
    databases.map(async (mongod) => {
      for (const [schedule, steps] of queue) {
        const what = await runSchedule(theCase, steps, mongod, tooling)
        if (what !== undefined) violations.push({ schedule, what })
      }
    }),
  )
  const tookMs = Math.round(performance.now() - startedAt)
  return { case: theCase.name, schedules: chosen.length, tookMs, violations }
}

/** Runs one schedule through the product's code on a real mongod. Answers what is wrong, if anything is. */
async function runSchedule(
  theCase: Case,
  schedule: Schedule,
  mongod: OnMongod,
  tooling: Tooling,
): Promise<string | undefined> {
  const { theatre, reasons, asks } = theCase
  await mongod.reset(theCase.documents)
  const runs = theCase.executors.map(({ main }) => new Run(main, tooling))
  const crashed = new Set<number>()
  for (const [at, step] of schedule.steps.entries()) {
    const wrong = await take(step)
    if (wrong !== undefined) return `step ${at}: ${wrong}`
  }
  const documents = await mongod.snapshot()
  if (booksText(documents) !== booksText(schedule.documents)) return 'the documents are not those in memory'

  if (theatre.isOutstanding(documents)) await recover(mongod, theatre, tooling)
  else if (schedule.air.length === 0) return audit(documents)
  for (const operation of schedule.air) {
    await mongod.perform(tooling.operations.values[operation] as Operation)
    await recover(mongod, theatre, tooling)
  }
  return audit(await mongod.snapshot())

  async function take(step: Step): Promise<string | undefined> {
    if (step.kind === 'crashes') {
      crashed.add(step.executor)
      return undefined
    }
    if (step.kind === 'arrives') {
      await mongod.perform(tooling.operations.values[step.operation] as Operation)
      return undefined
    }
    const run = runs[step.executor] as Run
    const { requests } = await run.settle()
    const request = requests.find(({ label }) => whatOf(label) === whatOf(step.label))
    if (!request) return `executor ${step.executor} does not ask for ${step.label}`
    const { label } = request
    if (step.kind === 'wakes') run.answer(label, { value: undefined })
    if (step.kind === 'holds') run.answer(label, 'unknown')
    if (step.kind === 'loses') {
      await mongod.perform(request.operation as Operation)
      run.answer(label, 'unknown')
    }
    if (step.kind === 'does') {
      const value = await mongod.perform(request.operation as Operation)
      if (textOf(value) !== textOf(step.expected)) {
        return `mongod answered ${textOf(value)}, not ${textOf(step.expected)}, to ${textOf(request.operation)}`
      }
      run.answer(label, { value })
    }
    return undefined
  }

  async function audit(books: Snapshot): Promise<string | undefined> {
    const wrong = theatre.checkAlways(books) ?? theatre.checkSettled(books)
    if (wrong !== undefined) return wrong
    for (const [i, run] of runs.entries()) {
      const { ending } = await run.settle()
      const name = theCase.executors[i]?.name ?? ''
      const about = { reasons, asked: asks?.[name] }
      const lie = ending && !crashed.has(i) ? theatre.checkEnding(ending, books, about) : undefined
      if (lie !== undefined) return `${name}: ${lie}`
    }
    return undefined
  }
}

/** How often it was asked before is left out: in memory whoever looked again in vain is where it was before. */
const whatOf = (label: string): string => label.slice(0, label.indexOf('#'))

/** Recovery, alone, until nothing is outstanding. */
async function recover(mongod: OnMongod, theatre: Theatre, tooling: Tooling): Promise<void> {
  for (let round = 0; round < RECOVERY_ROUNDS && theatre.isOutstanding(await mongod.snapshot()); round++) {
    const run = new Run(theatre.recovery, tooling)
    for (;;) {
      const { requests } = await run.settle()
      const next = requests.find((request): request is Request & { operation: Operation } => request.operation !== null)
      if (!next) break
      run.answer(next.label, { value: await mongod.perform(next.operation) })
    }
  }
}

/** Without the record of repairs, which the schedules in memory leave out. */
const booksText = (books: Snapshot): string =>
  textOf(
    [...books].map(([key, document]) => [key, { ...document, ...('repairs' in document && { repairs: [] }) }]).sort(),
  )

import { textOf } from './documents.js'
import { Executor, type Answer, type Position, type Request, type Tooling } from './executor.js'
import { Memory, snapshotOf } from './memoryStore.js'
import { PROJECTIONS } from './explore.js'
import type { Operation, Rules, Snapshot } from './snapshot.js'
import type { Case } from './theatre.js'
import type { Fault } from './world.js'

/**
 * Schedules for a real mongod, where each takes time: an executor goes on until it ends or waits, but for a few
 * preemptions, and one thing goes wrong at most. They are made in memory; of those that differ only in the order of
 * steps that do not touch each other, one is kept.
 */

export type Step =
  /** The operation is done and answered. */
  | { kind: 'does'; executor: number; label: string; expected: unknown }
  /** It is done, and the answer is lost. */
  | { kind: 'loses'; executor: number; label: string }
  /** No answer, and it is still on its way. */
  | { kind: 'holds'; executor: number; label: string }
  | { kind: 'crashes'; executor: number }
  | { kind: 'wakes'; executor: number; label: string }
  /** One that was on its way. */
  | { kind: 'arrives'; operation: number }

export interface Schedule {
  steps: Step[]
  /** Still on their way at the end. */
  air: number[]
  /** What the documents must be by then. */
  documents: Snapshot
}

export interface Bounds {
  maxPreemptions: number
  maxFaults: number
}

interface Point {
  snapshot: Snapshot
  positions: (Position | undefined)[]
  air: number[]
  current: number
  preemptions: number
  faults: number
  /** Writes so far: whoever waits looks again only when there was one since. */
  writes: number
  sleeping: number[]
  /** Which operations reached each document, in order. */
  histories: ReadonlyMap<string, string>
  steps: Step[]
  /** The first executor is still alone. */
  alone: boolean
}

export async function schedulesOf(theCase: Case, rules: Rules, tooling: Tooling, bounds: Bounds): Promise<Schedule[]> {
  const executors = theCase.executors.map(({ name, main }) => new Executor(name, main, tooling))
  const seen = new Set<string>()
  const ended = new Map<string, Schedule>()
  const start: Point = {
    snapshot: snapshotOf(theCase.documents),
    positions: await Promise.all(executors.map((each) => each.root())),
    air: [],
    current: -1,
    preemptions: 0,
    faults: 0,
    writes: 0,
    sleeping: executors.map(() => 0),
    histories: new Map(),
    steps: [],
    alone: theCase.prelude !== undefined,
  }
  const stack = [start]
  for (let point = stack.pop(); point; point = stack.pop()) {
    if (point.alone && !canGoOn(point.positions[0])) {
      if (point.faults > 0) stack.push({ ...point, alone: false })
      continue
    }
    const nexts = await after(point)
    if (!point.positions.some((position) => canGoOn(position))) {
      const { steps, air, snapshot } = point
      const key = textOf([point.positions.map((each) => each?.id), [...point.histories].sort(), [...air].sort()])
      if (!ended.has(key)) ended.set(key, { steps, air, documents: snapshot })
    }
    for (const next of nexts) {
      const { positions, histories, air, current, preemptions, faults, writes, sleeping } = next
      const key = textOf([
        positions.map((each) => each?.id),
        [...histories].sort(),
        [...air].sort(),
        [current, preemptions, faults, next.alone],
        sleeping.map((at) => at === writes),
      ])
      if (!seen.has(key)) {
        seen.add(key)
        stack.push(next)
      }
    }
  }
  return [...ended.values()]

  async function after(point: Point): Promise<Point[]> {
    const nexts: Point[] = []
    const busy = point.current >= 0 && canGoOn(point.positions[point.current])
    const prelude = point.alone ? theCase.prelude : undefined
    const mayFail = point.faults < bounds.maxFaults
    const may = (fault: Fault, operation?: Operation) =>
      mayFail &&
      (!prelude || prelude.fault === fault) &&
      (!prelude?.steps || (operation?.kind === 'update' && prelude.steps.test(operation.step)))
    for (const [executor, position] of point.positions.entries()) {
      if (!position || position.ending || (prelude && executor > 0)) continue
      const preemptions = point.preemptions + (busy && executor !== point.current ? 1 : 0)
      if (preemptions > bounds.maxPreemptions) continue
      const turn = { ...point, current: executor, preemptions }
      for (const { label, operation, operationId } of position.requests) {
        if (!operation) {
          if (!busy && (point.sleeping[executor] as number) < point.writes) {
            const woken = await answered(turn, executor, label, { value: undefined })
            nexts.push({ ...woken, steps: [...point.steps, { kind: 'wakes', executor, label }] })
          }
          continue
        }
        const done = perform(turn, executor, operation, operationId)
        const { expected } = done
        const goneOn = await answered(done.point, executor, label, { value: expected })
        nexts.push({ ...goneOn, steps: [...point.steps, { kind: 'does', executor, label, expected }] })
        if (!isWrite(operation) || !may('late', operation)) continue
        const lost = await answered({ ...done.point, faults: point.faults + 1 }, executor, label, 'unknown')
        nexts.push({ ...lost, steps: [...point.steps, { kind: 'loses', executor, label }] })
        const air = [...point.air, operationId]
        const held = await answered({ ...turn, air, faults: point.faults + 1 }, executor, label, 'unknown')
        nexts.push({ ...held, steps: [...point.steps, { kind: 'holds', executor, label }] })
      }
      if (may('crash') && (executor === point.current || prelude)) {
        const sent = position.requests.filter(
          ({ operation }) => operation && !['read', 'find'].includes(operation.kind),
        )
        nexts.push({
          ...turn,
          positions: point.positions.map((each, i) => (i === executor ? undefined : each)),
          air: [...point.air, ...sent.map(({ operationId }) => operationId)],
          faults: point.faults + 1,
          steps: [...point.steps, { kind: 'crashes', executor }],
        })
      }
    }
    if (prelude) return nexts
    // What was on its way lands in between like a preemption.
    const preemptions = point.preemptions + (busy ? 1 : 0)
    if (preemptions <= bounds.maxPreemptions) {
      for (const operationId of new Set(point.air)) {
        const air = [...point.air]
        air.splice(air.indexOf(operationId), 1)
        const operation = tooling.operations.values[operationId] as Operation
        const { point: landed } = perform({ ...point, air, preemptions }, -1, operation, operationId)
        nexts.push({ ...landed, steps: [...point.steps, { kind: 'arrives', operation: operationId }] })
      }
    }
    return nexts
  }

  function perform(point: Point, executor: number, operation: Operation, operationId: number) {
    const memory = new Memory(point.snapshot, rules, PROJECTIONS)
    const expected = memory.perform(operation)
    if (operation.kind === 'read' || operation.kind === 'find') return { point, expected }
    const id = operation.kind === 'insert' ? operation.document._id : operation.id
    const document = `${operation.collection}/${id.toHexString()}`
    const histories = new Map(point.histories)
    histories.set(document, `${histories.get(document) ?? ''} ${executor}:${operationId}`)
    return { point: { ...point, snapshot: memory.snapshot, histories, writes: point.writes + 1 }, expected }
  }

  async function answered(point: Point, executor: number, label: string, answer: Answer): Promise<Point> {
    const from = point.positions[executor] as Position
    const code = executors[executor] as Executor
    const next = await code.after(from.id, label, tooling.answers.of(answer))
    return {
      ...point,
      positions: point.positions.map((each, i) => (i === executor ? next : each)),
      sleeping: point.sleeping.map((at, i) => (i === executor ? point.writes : at)),
    }
  }
}

const isWrite = ({ kind }: Operation): boolean => kind !== 'read' && kind !== 'find'

const canGoOn = (position: Position | undefined): boolean =>
  position !== undefined && !position.ending && position.requests.some((request: Request) => request.operation !== null)

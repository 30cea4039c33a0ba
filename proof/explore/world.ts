import type { Durability } from '../../protocol/store.js'
import type { Document } from './documents.js'
import { textOf } from './documents.js'
import { Numbers, Tooling, type Answer, type Executor, type Position, type Request } from './executor.js'
import { project, snapshotOf } from './memoryStore.js'
import {
  byCollection,
  find,
  read,
  write,
  type CollectionName,
  type Operation,
  type Rules,
  type Snapshot,
} from './snapshot.js'

/**
 * The world in which executors meet: replica sets with a history, operations under way, messages in the air. A state is
 * a few numbers; an event leads from one to the next. Everything that a network, a scheduler or an election may do at
 * that moment is an event of its own.
 */

/** crash: an executor ends, its writes under way may land later or never. late: a write or a reply is lost or late. */
export const FAULTS = ['crash', 'late', 'failover', 'shared'] as const
export type Fault = (typeof FAULTS)[number]

/** What may go wrong, and how often in one schedule. */
export interface Limits {
  faults: readonly Fault[]
  maxFaults: number
}

export interface WorldOptions extends Limits {
  executors: Executor[]
  rules: Rules
  /** Collections that share a replica set lose their newest writes together. */
  replicaSets: CollectionName[][]
  /** Fields that a participant reads back. */
  projections: Partial<Record<CollectionName, string[]>>
  /** What must hold at every moment, as a sentence on what does not. */
  check: (snapshot: Snapshot) => string | undefined
  /** What must hold of every write, likewise. */
  checkWrite: (collection: CollectionName, before: Document | null, after: Document) => string | undefined
}

/** landed: done at the primary, waits for majority. reading: did not match, waits to read back. */
const LANDED = 1
const READING = 2
/** An operation that has reached the primary: label, phase, its place in the history, the answer that it will get. */
type Flight = [label: string, phase: number, at: number, answer: number]
export const DEAD = -1

/**
 * By replica set its snapshots, the majority's first and the primary's last; by executor its position and its flights;
 * operations in the air, which may land at any time or never; faults so far.
 */
export type State = [
  sets: number[][],
  executors: [position: number, flights: Flight[]][],
  air: number[],
  faults: number,
]

export type Event =
  | { kind: 'lands' | 'shares' | 'reads' | 'acknowledged' | 'lost'; executor: number; label: string }
  | { kind: 'wakes'; executor: number; label: string }
  | { kind: 'crashes'; executor: number }
  | { kind: 'arrives'; operation: number }
  | { kind: 'replicates'; set: number }
  | { kind: 'fails over'; set: number; keeps: number }

export class Violation extends Error {
  override readonly name = 'Violation'
}

interface Effect {
  after: number
  matched: boolean
  document: Document | null
  violation?: string | undefined
}

const UNKNOWN: Answer = 'unknown'

export class World {
  readonly snapshots = new Numbers<Snapshot>()
  private readonly effects = new Map<number, Map<number, Effect>>()
  private readonly reads = new Map<string, number>()
  private readonly setOf: Record<CollectionName, number>
  private readonly wrong: (string | undefined)[] = []

  constructor(
    readonly options: WorldOptions,
    readonly tooling: Tooling,
  ) {
    const { replicaSets } = options
    const setOf = (name: CollectionName) => replicaSets.findIndex((names) => names.includes(name))
    this.setOf = byCollection(setOf)
  }

  /** The state in which nobody has done anything yet, over these documents. */
  async start(documents: Partial<Record<CollectionName, Document[]>>): Promise<State> {
    const sets = this.options.replicaSets.map((names) => {
      const snapshot = snapshotOf(Object.fromEntries(names.map((name) => [name, documents[name] ?? []])))
      return [this.snapshot(snapshot)]
    })
    const executors: State[1] = []
    for (const executor of this.options.executors) executors.push([(await executor.root()).id, []])
    return [sets, executors, [], 0]
  }

  /** What holds of a state's snapshots, and must. */
  violation([sets]: State): string | undefined {
    for (const history of sets) for (const id of history) if (this.wrong[id] !== undefined) return this.wrong[id]
    return undefined
  }

  /** Everything that may happen next, in an order that depends on the state alone. */
  events(state: State, { faults: kinds, maxFaults }: Limits = this.options): Event[] {
    const [sets, executors, air, faults] = state
    const events: Event[] = []
    const may = (fault: Fault) => faults < maxFaults && kinds.includes(fault)
    executors.forEach(([id, flights], executor) => {
      const position = this.position(state, executor)
      if (!position || position.ending) return
      for (const request of position.requests) {
        const { label, operation } = request
        const flight = flights.find(([each]) => each === label)
        if (!operation) events.push({ kind: 'wakes', executor, label })
        else if (!flight) {
          events.push({ kind: 'lands', executor, label })
          if (
            operation.kind === 'update' &&
            may('shared') &&
            this.effect(last(this.historyOf(sets, operation)), request.operationId).matched
          )
            events.push({ kind: 'shares', executor, label })
          if (may('late')) events.push({ kind: 'lost', executor, label })
        } else events.push({ kind: flight[1] === READING ? 'reads' : 'acknowledged', executor, label })
      }
      if (may('crash') && id !== DEAD) events.push({ kind: 'crashes', executor })
    })
    let previous = -1
    for (const operation of air) {
      if (operation !== previous) events.push({ kind: 'arrives', operation })
      previous = operation
    }
    sets.forEach((history, set) => {
      if (history.length === 1) return
      events.push({ kind: 'replicates', set })
      if (may('failover'))
        for (let keeps = 0; keeps < history.length - 1; keeps++) events.push({ kind: 'fails over', set, keeps })
    })
    return events
  }

  /** A failover can only take what is not majority yet: where one may come, each write has a moment before it is. */
  private inSteps([, , , faults]: State): boolean {
    return this.options.faults.includes('failover') && faults < this.options.maxFaults
  }

  /** Nobody can do anything but look again. */
  isQuiet(state: State): boolean {
    return state[1].every((_, executor) => {
      const position = this.position(state, executor)
      return !position || position.ending !== undefined || position.requests.every(({ operation }) => !operation)
    })
  }

  position([, executors]: State, executor: number): Position | undefined {
    const id = (executors[executor] as State[1][number])[0]
    return id === DEAD ? undefined : (this.options.executors[executor] as Executor).at(id)
  }

  async after(state: State, event: Event): Promise<State> {
    const next = copy(state)
    switch (event.kind) {
      case 'wakes':
        await this.answer(next, event.executor, event.label, { value: undefined })
        return next
      case 'lost': {
        const { operation, operationId } = this.request(state, event)
        if (isWrite(operation)) this.send(next, operationId)
        next[3]++
        await this.answer(next, event.executor, event.label, UNKNOWN)
        return next
      }
      case 'lands':
      case 'shares':
        await this.land(next, event)
        if (event.kind === 'shares') next[3]++
        return next
      case 'reads': {
        const { operation } = this.request(state, event)
        const [, , at, local] = this.takeFlight(next, event)
        const set = this.setOf[operation.collection]
        if (!local) this.commit(next, set, at)
        const history = next[0][set] as number[]
        const seen = this.readBack(local ? last(history) : (history[0] as number), operation)
        await this.answerNumber(next, event.executor, event.label, seen)
        return next
      }
      case 'acknowledged': {
        const { operation } = this.request(state, event)
        const [, , at, answer] = this.takeFlight(next, event)
        this.commit(next, this.setOf[operation.collection], at)
        await this.answerNumber(next, event.executor, event.label, answer)
        return next
      }
      case 'crashes': {
        const [, flights] = next[1][event.executor] as State[1][number]
        for (const { label, operation, operationId } of this.position(state, event.executor)?.requests ?? []) {
          if (operation && isWrite(operation) && !flights.some(([each]) => each === label)) this.send(next, operationId)
        }
        next[1][event.executor] = [DEAD, []]
        next[3]++
        return next
      }
      case 'arrives': {
        next[2].splice(next[2].indexOf(event.operation), 1)
        const operation = this.tooling.operations.values[event.operation] as Operation
        const history = this.historyOf(next[0], operation)
        this.append(history, this.effect(last(history), event.operation))
        return next
      }
      case 'replicates':
        this.commit(next, event.set, 1)
        return next
      case 'fails over':
        next[3]++
        await this.failOver(next, event)
        return next
    }
  }

  /** The request that is awaited under an event's label. */
  request(state: State, { executor, label }: { executor: number; label: string }): Request & { operation: Operation } {
    const request = this.position(state, executor)?.requests.find((each) => each.label === label)
    if (!request?.operation) throw new Error(`executor ${executor} does not wait for ${label}`)
    return { ...request, operation: request.operation }
  }

  snapshot(snapshot: Snapshot): number {
    const text = [...snapshot]
      .map(([key, document]) => `${key}:${this.documentText(document)}`)
      .sort()
      .join('\n')
    const id = this.snapshots.of(snapshot, text)
    if (id === this.wrong.length) this.wrong.push(this.options.check(snapshot))
    return id
  }

  /** What a write does to a snapshot; learnt once. */
  effect(snapshot: number, operationId: number): Effect {
    let known = this.effects.get(snapshot)
    if (!known) this.effects.set(snapshot, (known = new Map<number, Effect>()))
    let effect = known.get(operationId)
    if (!effect) {
      const before = this.snapshots.values[snapshot] as Snapshot
      const operation = this.tooling.operations.values[operationId] as Operation
      if (!isWrite(operation)) throw new Error(`${operation.kind} writes nothing`)
      const { matched, after, document } = write(before, operation, this.options.rules)
      const old = operation.kind === 'insert' ? null : read(before, operation.collection, operation.id)
      effect = {
        after: this.snapshot(after),
        matched,
        document,
        ...(document && { violation: this.options.checkWrite(operation.collection, old, document) }),
      }
      known.set(operationId, effect)
    }
    return effect
  }

  private readonly texts = new WeakMap<Document, string>()
  private documentText(document: Document): string {
    let text = this.texts.get(document)
    if (text === undefined) this.texts.set(document, (text = textOf(document)))
    return text
  }

  private historyOf(sets: number[][], operation: Operation): number[] {
    return sets[this.setOf[operation.collection]] as number[]
  }

  private async land(next: State, { kind, executor, label }: { kind: string; executor: number; label: string }) {
    const { operation, operationId } = this.request(next, { executor, label })
    const set = this.setOf[operation.collection]
    const history = next[0][set] as number[]
    if (!isWrite(operation)) {
      // It answers only when everything that it sees is majority.
      if (operation.kind === 'read' && operation.durability === 'linearizable')
        this.commit(next, set, history.length - 1)
      const ofMajority = operation.kind === 'find' || operation.durability !== 'local'
      const snapshot = ofMajority ? (history[0] as number) : last(history)
      return this.answerNumber(next, executor, label, this.readAnswer(snapshot, operation, operationId))
    }
    const effect = this.effect(last(history), operationId)
    this.append(history, effect)
    const at = history.length - 1
    const durability: Durability = operation.kind === 'take' ? 'majority' : operation.durability
    const inSteps = this.inSteps(next)
    if (durability === 'majority' && !inSteps) this.commit(next, set, at)
    if (operation.kind === 'update' && (!effect.matched || kind === 'shares')) {
      const local = durability === 'local' ? 1 : 0
      const place = inSteps && !local ? at : 0
      addFlight(next, executor, [label, READING, place, local])
      return
    }
    const answer = this.tooling.answers.of({ value: written(operation, effect) })
    if (durability === 'majority' && inSteps) addFlight(next, executor, [label, LANDED, at, answer])
    else await this.answerNumber(next, executor, label, answer)
  }

  private append(history: number[], { after, violation }: Effect): void {
    if (violation !== undefined) throw new Violation(violation)
    if (after !== last(history)) history.push(after)
  }

  /** Everything up to that place in the history is majority now. */
  private commit(next: State, set: number, at: number): void {
    if (at <= 0) return
    ;(next[0][set] as number[]).splice(0, at)
    for (const flight of this.flightsOn(next, set)) flight[2] = Math.max(0, flight[2] - at)
  }

  private *flightsOn(next: State, set: number): Generator<Flight & { executor?: never }> {
    for (const [, flights] of next[1]) {
      for (const flight of flights) {
        const operation = this.tooling.operations.values[operationOf(flight[0])] as Operation
        if (this.setOf[operation.collection] === set) yield flight
      }
    }
  }

  /** What was not majority is gone; whoever waited for this replica set learns nothing. */
  private async failOver(next: State, { set, keeps }: { set: number; keeps: number }): Promise<void> {
    ;(next[0][set] as number[]).splice(keeps + 1)
    for (const [executor, [, flights]] of next[1].entries()) {
      for (const [label] of [...flights]) {
        const operation = this.tooling.operations.values[operationOf(label)] as Operation
        if (this.setOf[operation.collection] !== set) continue
        this.takeFlight(next, { executor, label })
        await this.answer(next, executor, label, UNKNOWN)
      }
    }
  }

  private takeFlight(next: State, { executor, label }: { executor: number; label: string }): Flight {
    const [, flights] = next[1][executor] as State[1][number]
    const [flight] = flights.splice(
      flights.findIndex(([each]) => each === label),
      1,
    )
    return flight as Flight
  }

  private send(next: State, operationId: number): void {
    const text = (id: number) => textOf(this.tooling.operations.values[id])
    next[2].push(operationId)
    next[2].sort((a, b) => (text(a) < text(b) ? -1 : 1))
  }

  private readAnswer(snapshot: number, operation: Extract<Operation, { kind: 'read' | 'find' }>, id: number): number {
    const key = `${snapshot} ${id}`
    let answer = this.reads.get(key)
    if (answer === undefined) {
      const documents = this.snapshots.values[snapshot] as Snapshot
      const { collection } = operation
      const value =
        operation.kind === 'read'
          ? read(documents, collection, operation.id)
          : find(documents, collection, operation.filter, operation.limit)
      answer = this.tooling.answers.of({ value })
      this.reads.set(key, answer)
    }
    return answer
  }

  private readBack(snapshot: number, operation: Operation): number {
    if (operation.kind !== 'update') throw new Error('only updates are read back')
    const key = `${snapshot} back ${operation.collection} ${operation.id.toHexString()}`
    let answer = this.reads.get(key)
    if (answer === undefined) {
      const { collection, id } = operation
      const document = read(this.snapshots.values[snapshot] as Snapshot, collection, id)
      const seen = document && project(document, this.options.projections[collection])
      answer = this.tooling.answers.of({ value: { matched: false, seen } })
      this.reads.set(key, answer)
    }
    return answer
  }

  private answer(next: State, executor: number, label: string, answer: Answer): Promise<void> {
    return this.answerNumber(next, executor, label, this.tooling.answers.of(answer))
  }

  private async answerNumber(next: State, executor: number, label: string, answer: number): Promise<void> {
    const [from, flights] = next[1][executor] as State[1][number]
    const code = this.options.executors[executor] as Executor
    const position = code.knownAfter(from, label, answer) ?? (await code.after(from, label, answer))
    next[1][executor] = [position.id, flights]
  }
}

const isWrite = (operation: Operation): operation is Extract<Operation, { kind: 'insert' | 'update' | 'take' }> =>
  operation.kind === 'insert' || operation.kind === 'update' || operation.kind === 'take'

function written(operation: Operation, { matched, document }: Effect): unknown {
  if (operation.kind === 'insert') return matched ? 'inserted' : 'duplicate'
  if (operation.kind === 'take') return document
  return { matched: true }
}

const operationOf = (label: string): number => Number(label.slice(0, label.indexOf('#')))

const last = (history: number[]): number => history[history.length - 1] as number

function addFlight(next: State, executor: number, flight: Flight): void {
  const [, flights] = next[1][executor] as State[1][number]
  flights.push(flight)
  flights.sort(([a], [b]) => (a < b ? -1 : 1))
}

const copy = ([sets, executors, air, faults]: State): State => [
  sets.map((history) => [...history]),
  executors.map(([position, flights]) => [position, flights.map((flight) => [...flight] as Flight)]),
  [...air],
  faults,
]

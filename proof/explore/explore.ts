import { Column, countSchedules, Keys } from './counting.js'
import { endingText, Executor, Tooling } from './executor.js'
import type { Operation, Rules, Snapshot } from './snapshot.js'
import type { Case } from './theatre.js'
import { DEAD, Violation, World, type Event, type Fault, type Limits, type State } from './world.js'

/**
 * Every interleaving of a case: breadth first over all states, each visited once, so that the first violation found is
 * one of the shortest. Where everybody has ended or only waits, recovery runs to its end and the books are audited;
 * what is still in the air may land before and after that.
 */

export interface ExploreOptions extends Limits {
  rules: Rules
  /** All collections on one replica set. */
  oneSet?: boolean
  /** Stops there: more than that is no answer. */
  maxStates?: number
}

export interface Found {
  what: string
  /** The ordinals of the events from the start: replays this schedule. */
  schedule: string
  /** The number of the state where it was found. */
  state: number
}

export interface Exploration {
  case: string
  states: number
  transitions: number
  /** Different ways from the start to an end, waiting in vain not counted. */
  schedules: number
  /** How the books and the executors may end, and at how many end states. */
  outcomes: Map<string, number>
  positions: number
  runs: number
  tookMs: number
  complete: boolean
  violation?: Found
}

/** As the participants' stores project what they read back. */
const THING_FIELDS = ['bookings._id', 'pendingBookings', 'tombstones', 'forgottenBefore']
export const PROJECTIONS = {
  users: ['bookings', 'pendingBookings', 'tombstones', 'forgottenBefore'],
  cars: THING_FIELDS,
  rooms: THING_FIELDS,
}

export class Exploring {
  private readonly tooling = new Tooling()
  private readonly recoverer: number
  private readonly recovered = new Map<string, number[][]>()
  readonly world: World
  readonly limits: Limits

  constructor(
    readonly theCase: Case,
    private readonly options: ExploreOptions,
  ) {
    const { replicaSets, checkAlways, checkWrite, recovery, newestOf } = theCase.theatre
    const executors = theCase.executors.map(({ name, main }) => new Executor(name, main, this.tooling, newestOf))
    this.recoverer = executors.length
    executors.push(new Executor('recovery at the end', recovery, this.tooling))
    this.limits = { faults: options.faults, maxFaults: options.maxFaults }
    this.world = new World(
      {
        executors,
        rules: options.rules,
        replicaSets: options.oneSet ? [replicaSets.flat()] : replicaSets,
        ...this.limits,
        projections: PROJECTIONS,
        check: checkAlways,
        checkWrite,
      },
      this.tooling,
    )
  }

  /** Every operation that the executors asked for so far, each once. */
  get operations(): Operation[] {
    return this.tooling.operations.values
  }

  /** The states that the case starts from: one, or all that its prelude may leave behind. */
  async roots(): Promise<State[]> {
    const start = await this.world.start(this.theCase.documents)
    ;(start[1][this.recoverer] as State[1][number])[0] = DEAD
    const { prelude } = this.theCase
    if (!prelude) return [start]

    const limits: Limits = { faults: [prelude.fault], maxFaults: prelude.times }
    const roots = new Map<string, State>()
    const seen = new Set<string>()
    for (const queue = [start]; queue.length > 0;) {
      const state = queue.pop() as State
      const key = JSON.stringify(state)
      if (seen.has(key)) continue
      seen.add(key)
      const alone = this.world.position(state, 0)
      if (!alone || alone.ending) {
        const [sets, executors, air, faults] = state
        if (faults > 0) roots.set(JSON.stringify([sets, executors, air, 0]), [sets, executors, air, 0])
        continue
      }
      for (const event of this.world.events(state, limits)) {
        if ('executor' in event ? event.executor !== 0 : event.kind === 'arrives') continue
        if (event.kind === 'lost' && prelude.steps && !this.isStep(state, event, prelude.steps)) continue
        queue.push(await this.world.after(state, event))
      }
    }
    return [...roots].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, state]) => state)
  }

  private isStep(state: State, event: { executor: number; label: string }, steps: RegExp): boolean {
    const { operation } = this.world.request(state, event)
    return operation.kind === 'update' && steps.test(operation.step)
  }

  /** The way to a state by its number, as exploring came along it first. */
  async scheduleOf(state: number): Promise<string | undefined> {
    const { scheduleAsked, violation } = await this.explore(state)
    return violation?.state === state ? violation.schedule : scheduleAsked
  }

  /** `asked`: stops at the state of that number. */
  async explore(asked = Infinity): Promise<Exploration & { scheduleAsked?: string }> {
    const startedAt = performance.now()
    const { maxStates = Infinity } = this.options
    const keys = new Keys()
    const waiting: string[] = []
    const parents = new Column()
    const ordinals = new Column()
    const outcomes = new Map<string, number>()
    const edges = { from: new Column(), to: new Column() }
    const result = (): Exploration => ({
      case: this.theCase.name,
      states: keys.size,
      transitions: edges.to.length,
      schedules: 0,
      outcomes,
      positions: this.world.options.executors.reduce((sum, { size }) => sum + size, 0),
      runs: this.world.options.executors.reduce((sum, { runs }) => sum + runs, 0),
      tookMs: Math.round(performance.now() - startedAt),
      complete: true,
    })
    const scheduleTo = (state: number, ...more: number[]): string => {
      const path = [...more]
      for (let at = state; at >= 0; at = parents.get(at)) path.unshift(ordinals.get(at))
      return path.join('.')
    }
    /** `more`: the events that led on from that state, to one that was not added. */
    const found = (what: string, state: number, ...more: number[]): Exploration => ({
      ...result(),
      complete: false,
      violation: { what, schedule: scheduleTo(state, ...more), state: more.length > 0 ? keys.size : state },
    })
    const add = (state: State, parent: number, ordinal: number): [number, boolean] => {
      const key = JSON.stringify(state)
      const added = keys.add(key)
      if (added[1]) {
        waiting.push(key)
        parents.push(parent)
        ordinals.push(ordinal)
      }
      return added
    }

    for (const [ordinal, root] of (await this.roots()).entries()) add(root, -1, ordinal)

    for (let at = 0; at < waiting.length; at++) {
      if (keys.size > asked) return { ...result(), complete: false, scheduleAsked: scheduleTo(asked) }
      if (keys.size > maxStates) return { ...result(), complete: false }
      const state = JSON.parse(waiting[at] as string) as State
      waiting[at] = ''
      const events = this.world.events(state)
      for (const [ordinal, event] of events.entries()) {
        let next: State
        try {
          next = await this.world.after(state, event)
        } catch (error) {
          if (!(error instanceof Violation)) throw error
          return found(error.message, at, ordinal)
        }
        const [number, isNew] = add(next, at, ordinal)
        edges.from.push(at)
        edges.to.push(number)
        const wrong = isNew ? this.world.violation(next) : undefined
        if (wrong !== undefined) return found(wrong, number)
      }
      if (!this.world.isQuiet(state)) continue
      try {
        const settled = await this.settle(state)
        const [number] = add(settled, at, events.length)
        if (number !== at) {
          edges.from.push(at)
          edges.to.push(number)
        }
        const wrong = this.audit(settled)
        if (wrong !== undefined) return found(wrong, number)
        const outcome = this.outcome(settled)
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
      } catch (error) {
        if (!(error instanceof Violation)) throw error
        return found(error.message, at, events.length)
      }
    }
    if (keys.size > asked) return { ...result(), complete: false, scheduleAsked: scheduleTo(asked) }
    return { ...result(), schedules: countSchedules(keys.size, edges) }
  }

  /** Runs a schedule again, telling of each event and the state after it; answers what is wrong at its end. */
  async replay(schedule: string, tell: (line: string) => void): Promise<string | undefined> {
    const [root, ...ordinals] = schedule.split('.').map(Number)
    const roots = await this.roots()
    let state = roots[root as number]
    if (!state) throw new Error(`there are ${roots.length} starts, not ${root}`)
    tell(`start ${root} of ${roots.length}`)
    this.tellState(state, tell)
    for (const ordinal of ordinals) {
      const events = this.world.events(state)
      const event = events[ordinal]
      try {
        if (event) {
          tell(this.tellEvent(state, event))
          state = await this.world.after(state, event)
          this.tellState(state, tell)
          const wrong = this.world.violation(state)
          if (wrong !== undefined) return wrong
          continue
        }
        if (ordinal !== events.length || !this.world.isQuiet(state))
          throw new Error(`there is no event ${ordinal} here`)
        tell('recovery runs to its end')
        state = await this.settle(state)
        this.tellState(state, tell)
      } catch (error) {
        if (error instanceof Violation) return error.message
        throw error
      }
    }
    return this.world.isQuiet(state) ? this.audit(await this.settle(state)) : undefined
  }

  /** Recovery, alone, until it leaves nothing outstanding. What was written is majority by then. */
  private async settle([sets, executors, air, faults]: State): Promise<State> {
    const key = JSON.stringify(sets)
    let settled = this.recovered.get(key)
    if (!settled) {
      settled = await this.recover(sets)
      this.recovered.set(key, settled)
    }
    return [settled, executors, air, faults]
  }

  private async recover(sets: number[][]): Promise<number[][]> {
    const ROUNDS = 5
    const newest = (each: number[][]) => each.map((history) => [history.at(-1) as number])
    let now = newest(sets)
    for (let round = 0; round < ROUNDS && this.isOutstanding(now); round++) {
      const executors: State[1] = this.world.options.executors.map(() => [DEAD, []])
      executors[this.recoverer] = [(await this.world.options.executors[this.recoverer]?.root())?.id ?? DEAD, []]
      let state: State = [now, executors, [], 0]
      for (;;) {
        const [event] = this.world.events(state, { faults: [], maxFaults: 0 }).filter(({ kind }) => kind !== 'wakes')
        if (!event) break
        state = await this.world.after(state, event)
      }
      now = newest(state[0])
    }
    return now
  }

  private isOutstanding(sets: number[][]): boolean {
    return this.theCase.theatre.isOutstanding(this.books(sets))
  }

  private books(sets: number[][]): Snapshot {
    return new Map(sets.flatMap((history) => [...(this.world.snapshots.values[history.at(-1) as number] as Snapshot)]))
  }

  private readonly audits = new Map<string, string | undefined>()

  private audit(state: State): string | undefined {
    const wrong = this.world.violation(state)
    if (wrong !== undefined) return wrong
    const key = JSON.stringify([state[0], state[1].map(([position]) => position)])
    if (!this.audits.has(key)) this.audits.set(key, this.auditBooks(state))
    return this.audits.get(key)
  }

  private auditBooks(state: State): string | undefined {
    const books = this.books(state[0])
    const { theatre, executors, reasons, asks } = this.theCase
    const wrong = theatre.checkSettled(books)
    if (wrong !== undefined) return wrong
    for (const [i, { name }] of executors.entries()) {
      const ending = this.world.position(state, i)?.ending
      const lie = ending && theatre.checkEnding(ending, books, { reasons, asked: asks?.[name] })
      if (lie !== undefined) return `${name}: ${lie}`
    }
    return undefined
  }

  private outcome(state: State): string {
    const endings = this.theCase.executors.map(({ name }, i) => {
      const position = this.world.position(state, i)
      if (!position) return `${name} crashed`
      if (!position.ending) return `${name} waits`
      return `${name} ${'failed' in position.ending ? `refused: ${refusalOf(position.ending.failed)}` : 'answered'}`
    })
    return `${this.theCase.theatre.outcome(this.books(state[0]))}; ${endings.join(', ')}`
  }

  private tellEvent(state: State, event: Event): string {
    const name = (i: number) => this.world.options.executors[i]?.name ?? ''
    switch (event.kind) {
      case 'arrives':
        return `arrives late: ${this.tellOperation(event.operation)}`
      case 'crashes':
        return `${name(event.executor)} crashes`
      case 'replicates':
        return `replica set ${event.set}: its oldest write becomes majority`
      case 'fails over':
        return `replica set ${event.set} fails over and keeps ${event.keeps} of the writes that are not majority`
      case 'wakes':
        return `${name(event.executor)} looks again`
      case 'lands':
      case 'shares':
      case 'reads':
      case 'acknowledged':
      case 'lost':
        return `${name(event.executor)}: ${KINDS[event.kind]} ${this.tellOperation(this.world.request(state, event).operationId)}`
    }
  }

  private tellOperation(id: number): string {
    const operation = this.tooling.operations.values[id]
    if (!operation) return '?'
    const name = operation.kind === 'update' ? operation.step : `${operation.kind} ${operation.collection}`
    return `${name} ${JSON.stringify({ ...operation, collection: undefined, kind: undefined, step: undefined })}`
  }

  private tellState(state: State, tell: (line: string) => void): void {
    state[0].forEach((history, set) => {
      const newest = this.world.snapshots.values[history.at(-1) as number] as Snapshot
      for (const [key, document] of newest) {
        const shown = Object.fromEntries(SHOWN.map((field) => [field, document[field]]))
        tell(`      ${set}${history.length > 1 ? `+${history.length - 1}` : ''} ${key} ${JSON.stringify(shown)}`)
      }
    })
    state[1].forEach(([position], i) => {
      const ending = position === DEAD ? undefined : this.world.options.executors[i]?.at(position).ending
      if (ending) tell(`      ${this.world.options.executors[i]?.name} ended: ${endingText(ending)}`)
    })
  }
}

const KINDS = {
  lands: 'lands',
  shares: 'lands, among others that do not,',
  reads: 'reads back after',
  acknowledged: 'majority and acknowledged:',
  lost: 'no answer to',
}

/** Of a document, in a schedule that is told. */
const SHOWN = [
  ...['state', 'epoch', 'reason', 'balance', 'bookings', 'pendingBookings', 'tombstones'],
  ...['left', 'revision', 'unseen', 'refunds', 'ledger', 'refused', 'number', 'kind'],
]

const refusalOf = (error: Error): string => (error as { code?: string }).code ?? error.name

export type { Fault }

import { Unknown, type Store } from '../../protocol/store.js'
import { textOf, type Document } from './documents.js'
import { storeOf } from './memoryStore.js'
import type { CollectionName, Operation } from './snapshot.js'

/**
 * Executors as data. JavaScript's promises cannot be copied, but an executor is a function of the answers that it got:
 * with time and ids injected, the same answers lead to the same requests. So where an executor stands is named by its
 * answers so far, and what it asks for there is learnt once, by running the real code with these answers, and kept. The
 * search itself then works on plain numbers.
 */

/** What code under the explorer gets instead of a database, a clock and a source of ids. */
export interface Tools {
  store<T extends { _id: Document['_id'] }>(collection: CollectionName): Store<T>
  /** One operation; what a store is made of. */
  ask<R>(operation: Operation): Promise<R>
  pause(): Promise<void>
  newId(): string
}

export type Answer = { value: unknown } | 'unknown'

/** An answer that is awaited: `label` is the same for the same request, however it came about. */
export interface Request {
  label: string
  /** null: a pause. */
  operation: Operation | null
  /** Of the operation, among all operations of the search. */
  operationId: number
}

/** Where an executor stands. */
export interface Position {
  id: number
  requests: readonly Request[]
  /** How it ended, when it did. */
  ending?: Ending
}

export type Ending = { answered: unknown } | { failed: Error }

/** Numbers for equal values: states are compared as numbers. */
export class Numbers<T> {
  private readonly ids = new Map<string, number>()
  readonly values: T[] = []

  of(value: T, text = textOf(value)): number {
    let id = this.ids.get(text)
    if (id === undefined) {
      id = this.values.push(value) - 1
      this.ids.set(text, id)
    }
    return id
  }

  get size(): number {
    return this.values.length
  }
}

export class Tooling {
  readonly operations = new Numbers<Operation>()
  readonly answers = new Numbers<Answer>()
}

interface Known extends Position {
  /** How it first came here: the executor is run again along these. */
  fed: readonly (readonly [label: string, answer: number])[]
  /** What it was told, in no order. */
  told: ReadonlySet<string>
  next: Map<string, Known>
  /** Where it woke up from the pause that it may pass again, and what it was told by then. */
  loop?: { pause: Known; toldBefore: number }
  /** The code itself, standing here, for the first answer to come. */
  run?: Run | undefined
}

/** Told before the newest version. */
const BEFORE = '<'

/** No executor gets so many answers. One that does goes round in circles. */
const MAX_ANSWERS = 120

export class Executor {
  private readonly known = new Map<string, Known>()
  private readonly positions: Known[] = []
  private rootPosition: Promise<Known> | undefined
  /** How often the code was run, and how many answers it got in all. */
  runs = 0

  constructor(
    readonly name: string,
    private readonly main: (tools: Tools) => Promise<unknown>,
    private readonly tooling: Tooling,
    /** Of the documents there the code keeps nothing but the newest version that it was told (theatre.ts). */
    private readonly newestOf?: CollectionName | undefined,
  ) {}

  at(id: number): Position {
    return this.positions[id] as Position
  }

  get size(): number {
    return this.positions.length
  }

  root(): Promise<Position> {
    return (this.rootPosition ??= this.add([], new Set(), this.start(), undefined))
  }

  /** Where it stands after one more answer, if that is known already. */
  knownAfter(from: number, label: string, answer: number): Position | undefined {
    return this.positions[from]?.next.get(`${label}=${answer}`)
  }

  async after(from: number, label: string, answer: number): Promise<Position> {
    const position = this.positions[from] as Known
    const step = `${label}=${answer}`
    const known = position.next.get(step)
    if (known) return known

    const run = position.run ?? (await this.replay(position.fed))
    position.run = undefined
    run.answer(label, this.tooling.answers.values[answer] as Answer)
    const next = await this.place(position, label, answer, run)
    position.next.set(step, next)
    return next
  }

  private async place(from: Known, label: string, answer: number, run: Run): Promise<Known> {
    const { requests, ending } = await run.settle()
    const fed = [...from.fed, [label, answer] as const]
    const told = this.toldAfter(from, label, answer)
    const pausing = requests.length === 1 && requests[0]?.operation === null
    const woke = label.startsWith('pause')
    if (pausing && from.loop && looksOnly(fed.slice(from.loop.toldBefore), this.tooling)) return from.loop.pause
    if (fed.length > MAX_ANSWERS) throw new Error(`${this.name} comes to no end`)

    const key = [...told].sort().join(' ')
    const known = this.known.get(key)
    if (known) {
      // Told the same in another order, it must stand at the same place: what it was told decides, nothing else.
      if (this.shape(known) !== this.shape({ requests, ...(ending && { ending }) })) {
        throw new Error(`${this.name} depends on the order of its answers, or on older ones`)
      }
      return known
    }
    const position = await this.add(fed, told, Promise.resolve(run), key)
    if (woke && from.requests.length === 1) position.loop = { pause: from, toldBefore: fed.length }
    else if (from.loop) position.loop = from.loop
    return position
  }

  /** What it asks for, or how it ended; where older versions don't count, nor does how often it asked before. */
  private shape({ requests, ending }: Pick<Position, 'requests' | 'ending'>): string {
    const asked = requests.map(({ label, operationId }) => (this.newestOf ? operationId : label))
    return JSON.stringify([asked, ending && endingText(ending)])
  }

  /**
   * A newer version takes the place of all before it. With it counts which write had lost before it was read, and whatever
   * else was told before it, apart from what is told after it.
   */
  private toldAfter(from: Known, label: string, answer: number): Set<string> {
    if (!this.newestOf) return new Set(from.told).add(`${label}=${answer}`)
    const isVersion = (of: string) => this.tooling.operations.values[numberOf(of)]?.collection === this.newestOf
    const isSeen = (of: number) => Boolean((this.tooling.answers.values[of] as { value?: unknown }).value)
    const name = (of: string, value: number) => `${numberOf(of)}=${value}`
    const before = [...from.told].filter((each) => each.startsWith(BEFORE))
    const since = [...from.told].slice(before.length)
    if (!isVersion(label) || !isSeen(answer)) {
      return new Set([...before, ...since, `${since.length} ${name(label, answer)}`])
    }
    const others = since.map((each) => each.split(' ')[1] as string).filter((each) => !isVersion(each))
    const [lost, no] = from.fed.at(-1) ?? ['', 0]
    return new Set([
      ...new Set([...before, ...others.map((each) => BEFORE + each)]),
      ...[...(isVersion(lost) && !isSeen(no) ? [name(lost, no)] : []), name(label, answer)].map(
        (each, i) => `${i} ${each}`,
      ),
    ])
  }

  private async add(
    fed: Known['fed'],
    told: Known['told'],
    running: Promise<Run>,
    key: string | undefined,
  ): Promise<Known> {
    const run = await running
    const { requests, ending } = await run.settle()
    const position: Known = {
      id: this.positions.length,
      fed,
      told,
      next: new Map(),
      requests,
      ...(ending ? { ending } : { run }),
    }
    this.positions.push(position)
    if (key !== undefined) this.known.set(key, position)
    return position
  }

  private start(): Promise<Run> {
    this.runs++
    return Promise.resolve(new Run(this.main, this.tooling))
  }

  private async replay(fed: Known['fed']): Promise<Run> {
    const run = await this.start()
    for (const [label, answer] of fed) {
      await run.settle()
      run.answer(label, this.tooling.answers.values[answer] as Answer)
    }
    await run.settle()
    return run
  }
}

/** Since it woke up it only looked, or failed to take over: it stands where it stood before. */
const looksOnly = (fed: Known['fed'], { operations }: Tooling): boolean =>
  fed.every(([label]) => {
    const kind = operations.values[numberOf(label)]?.kind
    return kind === 'read' || kind === 'take'
  })

/** Of the operation that a label or an entry of what was told is of. */
const numberOf = (label: string): number => parseInt(label)

export const endingText = (ending: Ending): string =>
  'failed' in ending
    ? `${ending.failed.name} ${(ending.failed as { code?: string }).code ?? ''} ${ending.failed.message}`
    : textOf(ending.answered)

/** The real code, run once. */
export class Run {
  private readonly waiting = new Map<
    string,
    { request: Request; resolve(value: never): void; reject(e: Error): void }
  >()
  private readonly asked = new Map<string, number>()
  private ending: Ending | undefined
  private ids = 0

  constructor(
    main: (tools: Tools) => Promise<unknown>,
    private readonly tooling: Tooling,
  ) {
    const tools: Tools = {
      store: (collection) => storeOf(collection, (operation) => this.ask(decisive(operation))),
      ask: (operation) => this.ask(operation),
      pause: () => this.ask(null),
      newId: () => (++this.ids).toString(16),
    }
    main(tools).then(
      (answered) => (this.ending = { answered }),
      (failed: unknown) => (this.ending = { failed: failed as Error }),
    )
  }

  /** Lets the code run until it waits for answers alone. */
  async settle(): Promise<{ requests: Request[]; ending: Ending | undefined }> {
    await new Promise((resolve) => setImmediate(resolve))
    const requests = [...this.waiting.values()].map(({ request }) => request)
    // In an order of their own, so that a schedule means the same however the search came along.
    requests.sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1))
    return { requests, ending: this.ending }
  }

  answer(label: string, answer: Answer): void {
    const waiting = this.waiting.get(label)
    if (!waiting) throw new Error(`nobody waits for ${label}`)
    this.waiting.delete(label)
    if (answer === 'unknown') waiting.reject(new Unknown('no answer'))
    else waiting.resolve(answer.value as never)
  }

  private ask<R>(operation: Operation | null): Promise<R> {
    const operationId = operation ? this.tooling.operations.of(operation) : -1
    const name = operation ? String(operationId) : 'pause'
    const count = (this.asked.get(name) ?? 0) + 1
    this.asked.set(name, count)
    const label = `${name}#${count}`
    return new Promise<R>((resolve, reject) => {
      this.waiting.set(label, { request: { label, operation, operationId }, resolve, reject })
    })
  }
}

/** Without the record of repairs, which is for people: no executor decides by it, and each would make its own states. */
function decisive(operation: Operation): Operation {
  if (operation.kind !== 'take') return operation
  const { $push, ...change } = operation.change
  const fields = Object.entries($push ?? {}).filter(([field]) => field !== 'repairs')
  return { ...operation, change: { ...change, ...(fields.length > 0 && { $push: Object.fromEntries(fields) }) } }
}

const sortKey = ({ label, operation }: Request): string => `${operation ? textOf(operation) : ''} ${label}`

import { setMaxListeners } from 'node:events'
import { constants, setPriority } from 'node:os'
import { seededRandom } from '../support/numbers.js'
import type { Account, Arms, Target } from './arms.js'
import { ATTACKS } from './attacks/all.js'

/** A process of its own, so that honest clients share nothing with the attacker but the machine. */

export interface Order {
  attack: string
  /** Among all attacks of the run: it has addresses of its own by it. */
  number: number
  seed: number
  target: Target
  crew: readonly Account[]
  /** 0: prepare only. */
  forMs: number
}

export interface Outcome {
  outcomes: Record<string, number>
  breaches: string[]
}

/** For connections to end before the next attack begins. */
const ENDING_MS = 200

// Attackers bring their own processors: here they get what the system leaves.
setPriority(constants.priority.PRIORITY_BELOW_NORMAL)

const crews = new Map<string, readonly Account[]>()

process.on('message', (order: Order) => {
  void obey(order).then((outcome) => process.send?.(outcome))
})
process.once('disconnect', () => process.exit(0))

async function obey({ attack, number, seed, target, crew, forMs }: Order): Promise<Outcome> {
  const outcomes: Record<string, number> = {}
  const breaches: string[] = []
  const stop = new AbortController()
  setMaxListeners(0, stop.signal)
  // The same object each time, by which an attack finds what it has prepared.
  crews.set(attack, crews.get(attack) ?? crew)
  const arms: Arms = {
    target,
    crew: crews.get(attack) ?? crew,
    address: (n = 0) => `127.0.${10 + number}.${1 + n}`,
    random: seededRandom(seed),
    signal: stop.signal,
    note: (outcome) => void (outcomes[outcome] = (outcomes[outcome] ?? 0) + 1),
    breach: (what) => void breaches.push(what),
  }
  const { prepare, run } = ATTACKS[attack] ?? { prepare: undefined, run: () => Promise.resolve() }
  const work = forMs === 0 ? prepare?.(arms) : run(arms)
  const done = work?.catch((error: Error) => arms.note(error.message.slice(0, 30)))
  await (forMs === 0 ? done : new Promise((resolve) => setTimeout(resolve, forMs)))
  stop.abort()
  await new Promise((resolve) => setTimeout(resolve, ENDING_MS))
  return { outcomes, breaches }
}

import { setMaxListeners } from 'node:events'
import { seededRandom } from '../support/numbers.js'
import { ATTACKS, type Arms } from './attacks.js'

/** A process of its own, so that honest clients share nothing with the attacker but the machine. */
export interface Orders extends Pick<Arms, 'localAddress' | 'tokens' | 'userIds' | 'carId'> {
  attack: string
  url: string
  seed: number
  forMs: number
}

process.once('message', (orders: Orders) => {
  const outcomes: Record<string, number> = {}
  const stop = new AbortController()
  setMaxListeners(0, stop.signal)
  const arms: Arms = {
    ...orders,
    url: new URL(orders.url),
    random: seededRandom(orders.seed),
    signal: stop.signal,
    note: (outcome) => void (outcomes[outcome] = (outcomes[outcome] ?? 0) + 1),
  }
  const finish = (): void => void process.send?.(outcomes, () => process.exit(0))
  ATTACKS[orders.attack]?.run(arms).catch((error: Error) => arms.note(error.message.slice(0, 30)))
  setTimeout(() => {
    stop.abort()
    setTimeout(finish, 200)
  }, orders.forMs)
})

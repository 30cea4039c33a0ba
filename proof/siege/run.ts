import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { io } from 'socket.io-client'
import { install, type Installation } from '../support/installation.js'
import { ATTACKS } from './attacks/all.js'
import type { Order, Outcome } from './attacker.js'
import { watchFootprint, type Footprint } from './footprint.js'
import { startHonestClients, type HonestClients } from './honest.js'
import { settle, type Town } from './town.js'
import { judge, typical, type Cost, type Experience, type Row, type Seen } from './verdict.js'

export interface SiegeReport {
  seed: number
  /** Of each attack. */
  seconds: number
  rows: Row[]
  violations: string[]
}

/** The rest of an attack's time is quiet, to compare with. */
const ATTACKED_SHARE = 0.6
const SHORTEST_MS = 2500
/** What an attack leaves behind counts to it for so long. */
const AFTERMATH_MS = 300
const WARM_UP_MS = 3000
/** The workers take turns: so many connections reach each of them. */
const EVERY_WORKER = 20
const KNOCK_MS = 5000

interface Options {
  minutes: number
  seed: number
  attacks: readonly string[]
  say(line: string): void
  /** Aborted: everything is taken down, and the run rejects. */
  signal: AbortSignal
}

/** A system of its own under the default limits, honest clients, and one attack after the other beside them. */
export async function runSiege(options: Options): Promise<SiegeReport> {
  const { say, signal } = options
  const system = await install({
    RATE_LIMIT_PER_SECOND: '',
    PLACEMENT: 'functions=1,gateway=2',
    // Webhooks are taken, and looked at.
    STRIPE_WEBHOOK_SECRET: 'whsec_of_the_siege',
  })
  try {
    say('Starting the system')
    const { code, output } = await system.cli('start')
    if (code !== 0) throw new Error(`npm start failed:\n${output}`)
    signal.throwIfAborted()
    return await besiege(system, options)
  } finally {
    say('Taking everything down')
    await system.remove()
  }
}

async function besiege(system: Installation, { minutes, seed, attacks, say, signal }: Options): Promise<SiegeReport> {
  const cellMs = Math.max(SHORTEST_MS, (minutes * 60_000) / attacks.length)
  const forMs = cellMs * ATTACKED_SHARE
  say(`Settling ${attacks.length} attackers and honest people`)
  const town = await settle(system, attacks)
  const attacker = startAttacker(town, seed)
  const footprint = watchFootprint(system)
  const honest = startHonestClients(system.url, town.people)
  try {
    for (const attack of attacks) if (ATTACKS[attack]?.prepare) await attacker.order(attack, 0)
    await sleep(WARM_UP_MS, undefined, { signal })
    const quietMs = cellMs - forMs
    const tries: Try[] = []
    const calm = [await quiet(honest, quietMs, signal)]
    for (const attack of attacks) {
      signal.throwIfAborted()
      say(attack)
      footprint.take()
      const seen = honest.watch()
      const outcome = await attacker.order(attack, forMs)
      await sleep(AFTERMATH_MS)
      const cost = footprint.take()
      tries.push({ attack, seen, outcome, cost })
      calm.push(await quiet(honest, quietMs, signal))
    }
    await honest.stop()
    const without = typical(calm.map((each) => each.experience()))
    const rows = tries.map((each) => rowOf(each, without))
    const violations = [
      ...rows.flatMap((row) => judge(row, cellMs / 1000)),
      ...(await knock(system.url)),
      ...(await audit(system)),
      ...endedSince(footprint),
    ]
    return { seed, seconds: forMs / 1000, rows, violations }
  } finally {
    footprint.stop()
    attacker.stop()
    await honest.stop()
  }
}

async function quiet(honest: HonestClients, ms: number, signal: AbortSignal): Promise<Seen> {
  const seen = honest.watch()
  await sleep(ms, undefined, { signal })
  return seen
}

interface Try {
  attack: string
  seen: Seen
  outcome: Outcome
  cost: Cost
}

const rowOf = ({ attack, seen, outcome, cost }: Try, without: Experience): Row => ({
  attack,
  what: ATTACKS[attack]?.what ?? '',
  without,
  with: seen.experience(),
  ...outcome,
  ...cost,
})

interface Attacker {
  /** Answers when it has ended. */
  order(attack: string, forMs: number): Promise<Outcome>
  stop(): void
}

function startAttacker(town: Town, seed: number): Attacker {
  const file = fileURLToPath(new URL('attacker.ts', import.meta.url))
  const child: ChildProcess = fork(file, [], { execArgv: ['--import=tsx'] })
  const numbers = [...town.crews.keys()]
  const died = once(child, 'exit').then(() => {
    throw new Error('The attacker has died')
  })
  died.catch(() => {})
  return {
    async order(attack, forMs) {
      const number = numbers.indexOf(attack)
      const order: Order = {
        ...{ attack, number, forMs, target: town.target },
        seed: seed + number,
        crew: town.crews.get(attack) ?? [],
      }
      child.send(order)
      const [outcome] = (await Promise.race([once(child, 'message'), died])) as [Outcome]
      return outcome
    },
    stop: () => void child.kill('SIGKILL'),
  }
}

/** A worker that is closed lets nobody in. */
async function knock(url: string): Promise<string[]> {
  const closed: string[] = []
  for (let i = 0; i < EVERY_WORKER; i++) {
    const socket = io(url, { transports: ['websocket'], forceNew: true, reconnection: false, timeout: KNOCK_MS })
    await socket
      .timeout(KNOCK_MS)
      .emitWithAck('getStatus', {})
      .catch((error: Error) => closed.push(`a worker is closed: ${error.message}`))
    socket.disconnect()
  }
  return closed
}

async function audit(system: Installation): Promise<string[]> {
  const { code, output } = await system.cli('audit')
  return code === 0 ? [] : [`the books: ${output.trim()}`]
}

function endedSince(footprint: Footprint): string[] {
  return footprint.take().ended.map((name) => `${name} ended after the last attack`)
}

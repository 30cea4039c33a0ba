import { fork } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { io, type Socket } from 'socket.io-client'
import { install, LEAN_PLACEMENT, type Installation } from '../support/installation.js'
import { ATTACKS } from './attacks.js'
import type { Orders } from './attacker.js'
import { startHonestClients, type Experience } from './honest.js'

/** What an attack did. The first row is no attack: what honest clients see without one. */
export interface Row extends Experience {
  attack: string
  what: string
  outcomes: Record<string, number>
  restarts: number
  memoryMb: number
  logMb: number
}

export interface SiegeReport {
  seed: number
  seconds: number
  rows: Row[]
  violations: string[]
}

const HONEST = 4
const WORST = 5
const PASSWORD = 'correct horse battery'
const EVERY_WORKER = 20

/** A system of its own under the default limits, honest clients, and one attack after the other beside them. */
export async function runSiege(options: {
  minutes: number
  seed: number
  attacks: readonly string[]
  say(line: string): void
  /** Aborted: everything is taken down, and the run rejects. */
  signal: AbortSignal
}): Promise<SiegeReport> {
  const { seed, attacks, say, signal } = options
  const forMs = Math.max(2000, (options.minutes * 60_000) / (attacks.length + 1))
  const system = await install({ RATE_LIMIT_PER_SECOND: '100', PLACEMENT: LEAN_PLACEMENT, LOG_FILE_MB: '5' })
  try {
    say('Starting the system')
    const { code, output } = await system.cli('start')
    if (code !== 0) throw new Error(`npm start failed:\n${output}`)
    signal.throwIfAborted()
    const town = await settle(system)
    const honest = startHonestClients(system.url, town.honest, town.carIds)
    try {
      await sleep(2000)
      honest.take()
      const rows: Row[] = []
      for (const attack of ['none', ...attacks]) {
        signal.throwIfAborted()
        const before = await restartsOf(system)
        say(attack)
        const outcomes =
          attack === 'none'
            ? (await sleep(forMs, undefined, { signal }), {})
            : await attackWith(system, town, attack, seed, forMs)
        const rows_ = await system.rows()
        rows.push({
          attack,
          what: ATTACKS[attack]?.what ?? 'honest clients alone',
          outcomes,
          ...honest.take(),
          restarts: (await restartsOf(system)) - before,
          memoryMb: rows_.reduce((sum, { pid }) => sum + residentMb(pid), 0),
          logMb: sizeMb(join(String(system.env['PM2_HOME']), 'logs')),
        })
      }
      honest.stop()
      const violations = [...judge(rows), ...(await knock(system.url))]
      return { seed, seconds: forMs / 1000, rows, violations }
    } finally {
      honest.stop()
    }
  } finally {
    say('Taking everything down')
    await system.remove()
  }
}

interface Town {
  honest: string[]
  carIds: string[]
  hostile: { token: string; userId: string }[]
}

/** Accounts of honest and hostile people, and a car for each honest one. */
async function settle(system: Installation): Promise<Town> {
  const { output } = await system.cli('token', '--role', 'admin')
  const admin = io(system.url, { transports: ['websocket'], auth: { token: output.trim().split('\n').at(-1) } })
  const town: Town = { honest: [], carIds: [], hostile: [] }
  try {
    for (let i = 0; i < HONEST + 3; i++) {
      const name = `p${i}-${Date.now()}`
      const { user, token } = await must(admin, 'signUp', { name, email: `${name}@example.com`, password: PASSWORD })
      if (i >= HONEST) town.hostile.push({ token: String(token), userId: idOf(user) })
      else {
        town.honest.push(String(token))
        await must(admin, 'depositFunds', { userId: idOf(user), amount: 1_000_000_000 })
        town.carIds.push(idOf(await must(admin, 'createCar', { name, pricePerHour: 1 })))
      }
    }
    return town
  } finally {
    admin.disconnect()
  }
}

const idOf = (entity: unknown): string => String((entity as { id: string }).id)

async function must(socket: Socket, operation: string, input: object): Promise<Record<string, unknown>> {
  const answer = (await socket.timeout(15_000).emitWithAck(operation, input)) as {
    ok: boolean
    data: Record<string, unknown>
  }
  if (!answer.ok) throw new Error(`${operation}: ${JSON.stringify(answer)}`)
  return answer.data
}

function attackWith(
  { url }: Installation,
  town: Town,
  attack: string,
  seed: number,
  forMs: number,
): Promise<Record<string, number>> {
  const orders: Orders = {
    ...{ attack, url, seed, forMs },
    localAddress: '127.0.0.2',
    tokens: town.hostile.map(({ token }) => token),
    userIds: town.hostile.map(({ userId }) => userId),
    carId: String(town.carIds[0]),
  }
  const child = fork(fileURLToPath(new URL('attacker.ts', import.meta.url)), [], { execArgv: ['--import=tsx'] })
  child.send(orders)
  return new Promise((resolve) => {
    let outcomes: Record<string, number> = {}
    child.once('message', (message) => (outcomes = message as Record<string, number>))
    child.once('exit', () => resolve(outcomes))
  })
}

const restartsOf = async (system: Installation): Promise<number> =>
  (await system.rows()).reduce((sum, { restarts }) => sum + restarts, 0)

function residentMb(pid: number): number {
  try {
    const [, kb = '0'] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return Number(kb) / 1000
  } catch {
    return 0
  }
}

const sizeMb = (directory: string): number =>
  readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size / 1e6, 0)

function judge(rows: readonly Row[]): string[] {
  const [without] = rows
  const most = WORST * (without?.p99Ms ?? 0)
  return rows.flatMap(({ attack, restarts, p99Ms, requests }) => [
    ...(restarts > 0 ? [`${attack}: ${restarts} processes ended`] : []),
    ...(requests === 0 ? [`${attack}: no honest request was answered`] : []),
    ...(p99Ms > most ? [`${attack}: honest p99 ${p99Ms.toFixed(0)} ms is over ${WORST} x what it is without`] : []),
  ])
}

/** The workers take turns: so many connections reach each of them. */
async function knock(url: string): Promise<string[]> {
  const closed: string[] = []
  for (let i = 0; i < EVERY_WORKER; i++) {
    const socket = io(url, { transports: ['websocket'], forceNew: true, reconnection: false, timeout: 5000 })
    await must(socket, 'getStatus', {}).catch((error: Error) => closed.push(`a worker is closed: ${error.message}`))
    socket.disconnect()
  }
  return closed
}

import { setTimeout as sleep } from 'node:timers/promises'
import { pm2Processes } from '../support/appProcesses.js'
import type { Installation } from '../support/installation.js'
import type { Random } from '../support/numbers.js'
import { startProxy } from '../support/proxy.js'

/** Between clients and gateway. */
export interface Network {
  port: number
  /** Breaks all connections. */
  cut(): void
  /** Breaks them, and refuses new ones for so long. */
  away(ms: number): Promise<void>
  close(): Promise<void>
}

export async function layNetwork(targetPort: number, random: Random): Promise<Network> {
  let proxy = await startProxy({ targetPort, random })
  const { port } = proxy
  return {
    port,
    cut: () => void proxy.reset(),
    async away(ms) {
      await proxy.close()
      await sleep(ms)
      proxy = await startProxy({ targetPort, port, random })
    },
    close: () => proxy.close(),
  }
}

/** How often each happened. */
export interface Weather {
  kills: number
  reloads: number
  cuts: number
  secondsAway: number
}

const AWAY_MS = 30_000
const FIRST_CALM_MS = 2000
const LONGEST_CALM_MS = 6000

/** A gust every few seconds, and in the middle the network is away. */
export async function brew(
  { system, network, random, say }: { system: Installation; network: Network; random: Random; say(line: string): void },
  { forMs, signal }: { forMs: number; signal: AbortSignal },
): Promise<Weather> {
  const weather: Weather = { kills: 0, reloads: 0, cuts: 0, secondsAway: 0 }
  const processes = pm2Processes(system)
  const workers = processes.names.filter((name) => name.startsWith('gateway-'))
  const startedAt = performance.now()
  const passed = (): number => performance.now() - startedAt
  for (let gust = 0; ; gust++) {
    await sleep(FIRST_CALM_MS + random() * (LONGEST_CALM_MS - FIRST_CALM_MS), undefined, { signal })
    if (passed() >= forMs) return weather
    if (weather.secondsAway === 0 && passed() >= forMs / 2) {
      say(`the network is away for ${AWAY_MS / 1000} s`)
      await network.away(AWAY_MS)
      weather.secondsAway += AWAY_MS / 1000
      continue
    }
    // Every kind comes soon, whatever the seed.
    const kind = gust < 3 ? gust / 3 : random()
    if (kind < 0.33) {
      const name = String(workers[Math.floor(random() * workers.length)])
      const pid = processes.pid(name)
      if (!pid) continue
      say(`kill ${name}`)
      process.kill(pid, 'SIGKILL')
      weather.kills++
    } else if (kind < 0.66) {
      say('cut all connections')
      network.cut()
      weather.cuts++
    } else {
      say('reload the gateway')
      await system.pm2('reload', 'gateway')
      weather.reloads++
    }
  }
}

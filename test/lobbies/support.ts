import type { ExecutionContext } from 'ava'
import type { Socket } from 'socket.io-client'
import { lobbies } from '../../functions/lobbies/contract.js'
import { watchFeeds } from '../../gateway/feedWatch.js'
import { startDispatching } from '../../platform/events/dispatcher.js'
import type { Caller } from '../../platform/contract/caller.js'
import { signToken } from '../../platform/runtime/tokens.js'
import { loadContracts } from '../../platform/runtime/tree.js'
import { connected, open, startGateway, type TestGateway } from '../gateway/support.js'
import { createTestSystem, type TestSystem } from '../support/system.js'
import { until } from '../../proof/support/until.js'
import { makeTrain } from '../trains/support.js'

/** What a client was told, as `<event> <seq>`, and all of it. */
export interface Told {
  name: string
  data: { seq?: number; lobbyId?: string; bookingId?: string; [key: string]: unknown }
}

export interface Member {
  caller: Caller
  socket: Socket
  told: Told[]
  /** Of a lobby alone, in the order of arrival. */
  of(lobbyId: string): Told[]
  heard(name: string): Told[]
  /** Of the lobby that it joined: what it gets there comes after this. */
  joinedAt: number
  call(
    operation: string,
    input: object,
  ): Promise<{ ok: boolean; data: { seq: number; bookingId: string }; error: { code: string } }>
}

export interface Stage {
  system: TestSystem
  workers: readonly [TestGateway, TestGateway]
  trainId: string
  lobbyId: string
  /** A client with a socket of its own. */
  connect(caller: Caller, worker?: 0 | 1, auth?: object): Promise<Member>
  /** The same, in the lobby. */
  join(caller: Caller, worker?: 0 | 1, lastSeq?: number): Promise<Member>
}

/** Two gateway workers, the real functions, the events' dispatcher, a real database; a lobby of a train with some seats. */
export async function stageOf(
  t: ExecutionContext,
  { seats = 10, env = {} }: { seats?: number; env?: Record<string, string> } = {},
): Promise<Stage> {
  const system = await createTestSystem(t, { now: () => new Date(), env })
  const contracts = await loadContracts()
  const dispatching = await startDispatching(system)
  t.teardown(() => dispatching.stop())
  const worker = (): Promise<TestGateway> =>
    startGateway(t, {
      overrides: {
        contracts,
        config: { ...system.config, gateway: { ...system.config.gateway, port: 0 } },
        request: (envelope) => system.handle(envelope),
        watchFeeds: watchFeeds(system),
      },
    })
  const workers = [await worker(), await worker()] as const
  const trainId = await makeTrain(system, { seats, price: 1000 })
  const { id: lobbyId } = await system.run(lobbies.createLobby, { trainId })

  async function connect(caller: Caller, worker: 0 | 1 = 0, auth: object = {}): Promise<Member> {
    const token = await signToken({ ...caller, tokenVersion: 0 }, system.config, system.now())
    const socket = open(workers[worker].port, { auth: { token, ...auth }, autoConnect: false, reconnection: false })
    const told: Told[] = []
    socket.onAny((name: string, data: Told['data']) => {
      if (name !== 'operations') told.push({ name, data })
    })
    socket.connect()
    await connected(socket)
    t.teardown(() => void socket.disconnect())
    // Until then what happens is not this connection's to be told.
    await until(() => told.some(({ name }) => name === 'position'))
    return {
      caller,
      socket,
      told,
      joinedAt: -1,
      of: (lobby) => told.filter(({ name, data }) => data.lobbyId === lobby && name !== 'lobby:members'),
      heard: (name) => told.filter((each) => each.name === name),
      call: (operation, input) => socket.timeout(30_000).emitWithAck(operation, input) as never,
    }
  }

  return {
    system,
    workers,
    trainId,
    lobbyId,
    connect,
    async join(caller, worker, lastSeq) {
      const member = await connect(caller, worker)
      const answer = await member.call('joinLobby', { lobbyId, ...(lastSeq !== undefined && { lastSeq }) })
      if (!answer.ok) throw new Error(answer.error.code)
      return Object.assign(member, { joinedAt: answer.data.seq })
    },
  }
}

/** The sequence as a client saw it: every message of the lobby has a number, and none is left out. */
export const seqsOf = (member: Member, lobbyId: string): number[] =>
  member.told.filter(({ data }) => data.lobbyId === lobbyId).map(({ data }) => data.seq as number)

export const isGapless = (seqs: number[]): boolean => seqs.every((seq, i) => i === 0 || seq === (seqs[i - 1] ?? 0) + 1)

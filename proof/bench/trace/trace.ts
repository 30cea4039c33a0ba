import { setTimeout as sleep } from 'node:timers/promises'
import type { Socket } from 'socket.io-client'
import { CommandFailure } from '../../../cli/lib/command.js'
import { signToken } from '../../../platform/runtime/tokens.js'
import type { Table } from '../../support/markdown.js'
import { median } from '../../support/numbers.js'
import { inputOf } from '../arms/inProcess.js'
import { startShipped } from '../arms/shipped.js'
import { openServer } from '../books.js'
import { refill } from '../seed.js'
import { ask, connectAll } from '../sockets.js'
import { migrate } from '../stage.js'
import { requestsOf, userIdOf } from '../workload.js'
import { startTap, type Statement } from './tap.js'

const CLIENTS = 16
/** Bookings of each. */
const HEAT_UP = 200
/** What a booking leaves to be done after its answer is done by then. */
const REST_MS = 50
/** Statements that fewer bookings have are not of the booking. */
const OFTEN = 0.6

/** One booking: times are milliseconds after it was sent. */
export interface Trace {
  tookMs: number
  statements: { what: string; fromMs: number; toMs: number }[]
}

/** So many bookings, one after the other, on a real `npm start`. */
export async function trace(count: number): Promise<Trace[]> {
  const { server, client, close } = await openServer(1)
  const direct = new URL(server.uri('trace'))
  const tap = await startTap(Number(direct.port))
  try {
    await migrate(server.uri('trace'))
    await refill(client.db('trace'))
    direct.port = String(tap.port)
    direct.searchParams.delete('replicaSet')
    // Past the address that the replica set says it has.
    direct.searchParams.set('directConnection', 'true')
    const installation = await startShipped(direct.href, '')
    try {
      const token = (n: number) =>
        signToken({ userId: userIdOf(n).toHexString(), role: 'user', tokenVersion: 0 }, installation.config, new Date())
      const users = await connectAll(installation.url, CLIENTS, async (n) => ({ token: await token(n) }))
      const requests = requestsOf('uniform', 1, { users: CLIENTS })
      const book = async (): Promise<Trace> => {
        const request = requests.next()
        if (!request) throw new CommandFailure('Every client has a booking under way.')
        const traced = await one(users[request.user] as Socket, inputOf(request), tap.statements)
        requests.done(request)
        return traced
      }
      // Until the code is compiled; all at once.
      const heatUp = async (): Promise<void> => {
        for (let i = 0; i < HEAT_UP; i++) await book()
      }
      await Promise.all(users.map(heatUp))
      const traces: Trace[] = []
      for (let i = 0; i < count; i++) traces.push(await book())
      for (const socket of users) socket.disconnect()
      return traces
    } finally {
      await installation.stop()
    }
  } finally {
    await tap.close()
    await close()
  }
}

async function one(socket: Socket, input: object, all: Statement[]): Promise<Trace> {
  all.length = 0
  const sentAtMs = performance.now()
  const answer = (await ask(socket, 'createBooking', input)) as { ok: boolean }
  const tookMs = performance.now() - sentAtMs
  if (!answer.ok) throw new CommandFailure(`A booking was refused: ${JSON.stringify(answer)}`)
  await sleep(REST_MS)
  const statements = all
    .filter(({ answeredAtMs }) => !Number.isNaN(answeredAtMs))
    .map(({ what, ...at }) => ({ what, fromMs: at.sentAtMs - sentAtMs, toMs: at.answeredAtMs - sentAtMs }))
  return { tookMs, statements }
}

/** What most bookings have, in the order of its beginning: medians. */
export function tableOf(traces: Trace[]): Table {
  const steps = new Map<string, Trace['statements']>()
  for (const { statements } of traces) {
    const seen = new Map<string, number>()
    for (const statement of statements) {
      const nth = (seen.get(statement.what) ?? 0) + 1
      seen.set(statement.what, nth)
      const key = nth === 1 ? statement.what : `${statement.what} (${nth})`
      steps.set(key, [...(steps.get(key) ?? []), statement])
    }
  }
  const usual = [...steps]
    .filter(([, each]) => each.length >= OFTEN * traces.length)
    .map(([what, each]) => ({
      what,
      fromMs: median(each.map(({ fromMs }) => fromMs)),
      tookMs: median(each.map(({ fromMs, toMs }) => toMs - fromMs)),
      gapMs: median(each.map(gapBefore)),
    }))
  const answeredMs = median(traces.map(({ tookMs }) => tookMs))
  const answer = {
    what: 'the client has its answer',
    fromMs: answeredMs,
    tookMs: NaN,
    gapMs: median(traces.map(lastGap)),
  }
  return [
    ['statement', 'begins, ms', 'takes, ms', 'before it, outside of MongoDB, ms'],
    ...[...usual, answer]
      .sort((a, b) => a.fromMs - b.fromMs)
      .map(({ what, fromMs, tookMs, gapMs }) => [what, ...[fromMs, tookMs, gapMs].map(show)]),
  ]

  function gapBefore(statement: Trace['statements'][number]): number {
    const { statements } = traces.find((trace) => trace.statements.includes(statement)) as Trace
    return statement.fromMs - endedBefore(statements, statement.fromMs)
  }
}

const lastGap = ({ statements, tookMs }: Trace): number => tookMs - endedBefore(statements, tookMs)

/** When the last statement ended that had ended by then. */
const endedBefore = (statements: Trace['statements'], ms: number): number =>
  Math.max(0, ...statements.map(({ toMs }) => toMs).filter((toMs) => toMs <= ms))

const show = (ms: number): string => (Number.isNaN(ms) ? '' : ms.toFixed(1))

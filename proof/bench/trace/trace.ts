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

/** A statement of a booking, or its answer. */
interface Step {
  what: string
  /** After the booking was sent. */
  fromMs: number
  /** NaN: the answer. */
  tookMs: number
  /** Since the last statement ended that had ended when it began. */
  gapMs: number
}

/** So many bookings, one after the other, on a real `npm start`. */
export async function trace(count: number): Promise<Step[][]> {
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
      const book = async (): Promise<Step[]> => {
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
      const traces: Step[][] = []
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

async function one(socket: Socket, input: object, all: Statement[]): Promise<Step[]> {
  all.length = 0
  const sentAtMs = performance.now()
  const answer = (await ask(socket, 'createBooking', input)) as { ok: boolean }
  const answeredMs = performance.now() - sentAtMs
  if (!answer.ok) throw new CommandFailure(`A booking was refused: ${JSON.stringify(answer)}`)
  await sleep(REST_MS)
  const statements = all
    .filter(({ answeredAtMs }) => !Number.isNaN(answeredAtMs))
    .map(({ what, ...at }) => ({ what, fromMs: at.sentAtMs - sentAtMs, toMs: at.answeredAtMs - sentAtMs }))
  const gapBefore = (ms: number): number =>
    ms - Math.max(0, ...statements.map(({ toMs }) => toMs).filter((toMs) => toMs <= ms))
  const seen = new Map<string, number>()
  const steps = statements.map(({ what, fromMs, toMs }): Step => {
    const nth = (seen.get(what) ?? 0) + 1
    seen.set(what, nth)
    return { what: nth === 1 ? what : `${what} (${nth})`, fromMs, tookMs: toMs - fromMs, gapMs: gapBefore(fromMs) }
  })
  const last = { what: 'the client has its answer', fromMs: answeredMs, tookMs: NaN, gapMs: gapBefore(answeredMs) }
  return [...steps, last]
}

/** What most bookings have, in the order of its beginning: medians. */
export function tableOf(bookings: Step[][]): Table {
  const byName = new Map<string, Step[]>()
  for (const step of bookings.flat()) byName.set(step.what, [...(byName.get(step.what) ?? []), step])
  const usual = [...byName]
    .filter(([, steps]) => steps.length >= OFTEN * bookings.length)
    .map(([what, steps]) => ({
      what,
      figures: (['fromMs', 'tookMs', 'gapMs'] as const).map((field) => median(steps.map((step) => step[field]))),
    }))
  return [
    ['statement', 'begins, ms', 'takes, ms', 'before it, outside of MongoDB, ms'],
    ...usual
      .sort((one, other) => (one.figures[0] as number) - (other.figures[0] as number))
      .map(({ what, figures }) => [what, ...figures.map(show)]),
  ]
}

const show = (ms: number): string => (Number.isNaN(ms) ? '' : ms.toFixed(1))
